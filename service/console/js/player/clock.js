// Playing time: from 0 to `seconds`, at a speed, again from the start if it repeats.

export class Clock {
  #frame = 0;
  #before = 0;

  /** tell(): called whenever the time or whether it plays has changed. */
  constructor(tell) {
    Object.assign(this, { time: 0, seconds: 1, speed: 1, repeat: true, playing: false, tell });
  }

  play() {
    if (this.playing) return;
    if (this.time >= this.seconds) this.time = 0;
    this.playing = true;
    this.#before = performance.now();
    this.#frame = requestAnimationFrame(this.#tick);
    this.tell();
  }

  pause() {
    this.playing = false;
    cancelAnimationFrame(this.#frame);
    this.tell();
  }

  seek(time) {
    this.time = Math.max(0, Math.min(this.seconds, time));
    this.tell();
  }

  #tick = (now) => {
    if (!this.playing) return;
    // A tab that was hidden does not catch up.
    const passed = Math.min(0.25, (now - this.#before) / 1000);
    this.#before = now;
    this.time += passed * this.speed;
    if (this.time >= this.seconds) {
      if (this.repeat) this.time %= this.seconds;
      else {
        this.time = this.seconds;
        this.playing = false;
      }
    }
    this.tell();
    if (this.playing) this.#frame = requestAnimationFrame(this.#tick);
  };
}
