// Loaded into each child before its own program. A parent that is killed can stop nobody, but its end of this channel closes.
process.on("disconnect", () => process.kill(process.pid, "SIGTERM"));
// Waiting for that must not keep a process alive whose work is done.
process.channel?.unref();
