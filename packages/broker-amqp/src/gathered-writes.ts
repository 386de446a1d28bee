import type { Writable } from "node:stream";

/**
 * Hands what is written in one go over to the system in one call. amqplib writes each message and each ack on its own, and a call for each costs more than
 * all else about a small message, here and at the server.
 */
export function gatherWrites(socket: Writable): void {
  const write = socket.write.bind(socket);
  const gathered = (...written: Parameters<typeof write>): boolean => {
    if (socket.writableCorked === 0) {
      socket.cork();
      process.nextTick(() => socket.uncork());
    }
    return write(...written);
  };
  socket.write = gathered as typeof socket.write; // its other signatures differ in what may be left out
}
