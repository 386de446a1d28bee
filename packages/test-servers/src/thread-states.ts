import { existsSync, readdirSync, readFileSync } from "node:fs";

/** Whether each thread of the process is stopped, or has ended. Also `true` where the system does not tell. */
export function isStopped(pid: number): boolean {
  const folder = `/proc/${pid}/task`;
  if (!existsSync(folder)) return true;
  try {
    return readdirSync(folder).every((thread) => "TtZX".includes(stateIn(`${folder}/${thread}/stat`)));
  } catch {
    // One of them has just ended: the next look tells.
    return false;
  }
}

/** The letter behind the name, which may contain anything. https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html */
function stateIn(file: string): string {
  const stat = readFileSync(file, "latin1");
  return stat.charAt(stat.lastIndexOf(")") + 2);
}
