/** Measures this process from the moment on when it is made, all its threads together. */
export class CpuClock {
  readonly #startedAt: number = performance.now();
  readonly #cpu: NodeJS.CpuUsage = process.cpuUsage();

  read(): { readonly ms: number; readonly cpuMs: number } {
    const { user, system } = process.cpuUsage(this.#cpu);
    return { ms: performance.now() - this.#startedAt, cpuMs: (user + system) / 1000 };
  }
}
