import { Writable } from "node:stream";
import { StringDecoder } from "node:string_decoder";

/**
 * Hands what is written to a stream to `print` instead: by `console`, by Node with its warnings, by the user's code. What goes past the stream to its
 * descriptor, as from a child process, is not seen. Answers how to put it back.
 */
export function divertWrites(stream: Writable, print: (text: string) => void): () => void {
  const decoder = new StringDecoder("utf8");
  const diverted = new Writable({
    // Never full: whoever waits for `drain` waits at the other stream.
    highWaterMark: Number.MAX_SAFE_INTEGER,
    write(chunk: Buffer, _encoding, done) {
      print(decoder.write(chunk));
      done();
    },
  });
  const { write } = stream;
  stream.write = diverted.write.bind(diverted);
  return () => {
    stream.write = write;
  };
}
