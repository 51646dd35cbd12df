/* What the panel "Trajectories" was sent, as numbers: where tracks are, which one is near a click. No drawing, no App.
 *
 * A scene (panels/trajectories/scene.py) has F frames and N tracks; positions are shares of the frame, x right, y down.
 */
(function () {
  const HIDDEN = 65535;
  const LOWEST = -0.5;
  const HIGHEST = 1.5;

  function unpack(text) {
    const bytes = Uint8Array.from(atob(text || ""), (one) => one.charCodeAt(0));
    return new Uint16Array(bytes.buffer);
  }

  const share = (packed) => (packed / (HIDDEN - 1)) * (HIGHEST - LOWEST) + LOWEST;

  /** The last row whose frame is not after a frame; -1 where there is none. */
  function rowAt(frames, frame) {
    let low = 0;
    let high = frames.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (frames[middle] <= frame) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  class Scene {
    constructor(data) {
      this.data = data;
      this.size = data.size;
      this.frames = data.frames;
      this.tracks = data.tracks;
      this.xy = unpack(data.xy);
      this.count = data.tracks.length;
      this.columnOf = new Map(data.tracks.map((track, column) => [track.index, column]));
      this.corrected = new Map();
      for (const [index, frame] of data.corrected) {
        if (!this.corrected.has(index)) this.corrected.set(index, new Set());
        this.corrected.get(index).add(frame);
      }
      this.window = null;
    }

    /** Exact positions around the playhead, where frames of the scene were left out. */
    addWindow(data) {
      if (data && data.stamp === this.data.stamp) this.window = { ...data, xy: unpack(data.xy) };
    }

    needsWindow(frame) {
      const { window } = this;
      return this.data.thinned && !(window && window.first <= frame && frame <= window.last);
    }

    inRow(xy, row, column) {
      const place = 2 * (row * this.count + column);
      if (row < 0 || xy[place] === HIDDEN || xy[place] === undefined) return null;
      return [share(xy[place]), share(xy[place + 1])];
    }

    /** Where a track is in a frame, [x, y]; null where it is not visible or nothing is known. */
    at(column, frame) {
      const { window, frames } = this;
      if (window && window.first <= frame && frame <= window.last) {
        const row = rowAt(window.frames, frame);
        return window.frames[row] === frame ? this.inRow(window.xy, row, column) : null;
      }
      const row = rowAt(frames, frame);
      const here = this.inRow(this.xy, row, column);
      if (frames[row] === frame || !this.data.thinned || !here) return frames[row] === frame ? here : null;
      // between two frames that were read
      const next = this.inRow(this.xy, row + 1, column);
      const part = (frame - frames[row]) / (frames[row + 1] - frames[row]);
      return next && [0, 1].map((axis) => here[axis] + part * (next[axis] - here[axis]));
    }

    /** Stretches of a track without gaps, as lists of [x, y, frame]; between two frame numbers. */
    stretches(column, first, last) {
      const found = [];
      let open = null;
      const add = (point, frame) => {
        if (!point) {
          open = null;
          return;
        }
        if (!open) found.push((open = []));
        open.push([point[0], point[1], frame]);
      };
      const exact = this.window && first >= this.window.first && last <= this.window.last;
      const frames = exact ? this.window.frames : this.frames;
      const xy = exact ? this.window.xy : this.xy;
      for (let row = Math.max(rowAt(frames, first - 1) + 1, 0); row < frames.length && frames[row] <= last; row++) {
        add(this.inRow(xy, row, column), frames[row]);
      }
      // the line ends where the point is, also between two frames that were read
      if (!exact && this.data.thinned && frames[rowAt(frames, last)] !== last) add(this.at(column, last), last);
      return found;
    }

    /** The track whose line comes nearest to a place: {column, frame, distance}, or null where all are too far.
     *
     * `scale` is how many pixels of the screen the frame is wide and high.
     */
    nearest(x, y, scale, reach) {
      let best = null;
      const look = (column, frame, squared) => {
        if (squared <= reach * reach && (!best || squared < best.squared)) best = { column, frame, squared };
      };
      for (let column = 0; column < this.count; column++) {
        for (const points of this.stretches(column, 1, this.data.num_frames)) {
          for (let k = 0; k < points.length; k++) {
            const [x1, y1, frame] = points[k];
            const [x0, y0, before] = points[Math.max(k - 1, 0)];
            const step = [(x1 - x0) * scale[0], (y1 - y0) * scale[1]];
            const away = [(x - x0) * scale[0], (y - y0) * scale[1]];
            const length = step[0] ** 2 + step[1] ** 2;
            const part = length ? Math.min(Math.max((away[0] * step[0] + away[1] * step[1]) / length, 0), 1) : 1;
            const squared = (away[0] - part * step[0]) ** 2 + (away[1] - part * step[1]) ** 2;
            look(column, Math.round(before + part * (frame - before)), squared);
          }
        }
      }
      return best && { column: best.column, frame: best.frame, distance: Math.sqrt(best.squared) };
    }

    /** The track whose point in a frame is nearest to a place, as `nearest`. */
    nearestPoint(x, y, frame, scale, reach) {
      let best = null;
      for (let column = 0; column < this.count; column++) {
        const at = this.at(column, frame);
        const distance = at ? Math.hypot((x - at[0]) * scale[0], (y - at[1]) * scale[1]) : Infinity;
        if (distance <= reach && (!best || distance < best.distance)) best = { column, frame, distance };
      }
      return best;
    }

    /** The frame nearest to one in which a track is visible; null where there is none. */
    visibleNear(column, frame) {
      if (this.at(column, frame)) return frame;
      let best = null;
      this.frames.forEach((number, row) => {
        const isNearer = best === null || Math.abs(number - frame) < Math.abs(best - frame);
        if (isNearer && this.inRow(this.xy, row, column)) best = number;
      });
      return best;
    }
  }

  window.PointTracking = Object.assign(window.PointTracking || {}, { Scene });
})();
