/* The player of the App, as the panel "Trajectories" uses it: all inner names of FiftyOne 1.22 that it needs are here.
 *
 * Each is looked for before it is used. Without those in `needed` the panel is a plain picture, which Python draws; each of
 * `lacking` takes one thing away, and the panel says which.
 */
(function () {
  const PT = window.PointTracking;
  const HOST = '[data-cy="modal-looker-container"]';
  const ANNOTATE = "annotate"; // the tab, as `useModalMode` calls it

  /** Names without which nothing follows the video. */
  function needed() {
    const { __fos__: fos, __foo__: foo, recoil, React } = window;
    return [
      ["React", React],
      ["recoil", recoil],
      ["modalLooker", fos && fos.modalLooker],
      ["usePanelEvent", foo && foo.usePanelEvent],
    ]
      .filter(([, found]) => !found)
      .map(([name]) => name);
  }

  class Player {
    /** `looker` is FiftyOne's player in Explore. In Annotate another one plays, of which nothing is known here. */
    constructor(looker, isAnnotating) {
      this.looker = isAnnotating ? null : looker;
      this.isAnnotating = isAnnotating;
    }

    /** The element that the player is in; null while the tab with the video is not in front. */
    get host() {
      return [...document.querySelectorAll(HOST)].find((host) => host.clientWidth > 0) || null;
    }

    /** The id of the sample that it plays; null where not known. */
    get sample() {
      const { sample } = this.looker || {};
      return (sample && (sample.id || sample._id)) || null;
    }

    /** Whether it failed to load the video. */
    get isBroken() {
      return Boolean(this.looker && this.looker.state && this.looker.state.error);
    }

    /** Frame number, from 1; null in Annotate, and where the video does not load. */
    get frame() {
      if (this.isAnnotating || this.isBroken) return null;
      return (this.looker && this.looker.frameNumber) || 1;
    }

    /** Moves the video to a frame; says whether it could. */
    seek(frame) {
      const { looker } = this;
      if (!looker || !looker.seekToFrame || this.isBroken) return false;
      if (looker.pause) looker.pause();
      looker.seekToFrame(frame);
      return true;
    }

    /** The element that plays the video, where it can be drawn; null until then. */
    get picture() {
      try {
        const video = this.looker && this.looker.getVideo && this.looker.getVideo();
        return video && video.readyState >= 2 && video.videoWidth ? video : null;
      } catch {
        return null;
      }
    }

    /** Where the frame lies on the player, [left, top, width, height], enlarged and moved; null where not known. */
    get box() {
      const { canvasBBox, scale, pan } = (this.looker && this.looker.state) || {};
      if (!canvasBBox || !(canvasBBox[2] > 0) || !scale || !pan) return null;
      const [left, top, width, height] = canvasBBox.map((value) => value * scale);
      return [left + pan[0], top + pan[1], width, height];
    }

    /** What it cannot do, in sentences. */
    get lacking() {
      const { looker } = this;
      if (!looker) return [];
      const { canvasBBox, scale, pan, duration, loaded } = looker.state || {};
      return [
        [looker.frameNumber !== undefined, "The panel does not follow the video (no frameNumber)"],
        [looker.seekToFrame, "Clicks do not move the video (no seekToFrame)"],
        [looker.getVideo, "There is no picture behind the lines (no getVideo)"],
        // nothing lies anywhere until the video is loaded
        [!duration || loaded === false || (canvasBBox && scale && pan), "There are no trails on the video (no canvasBBox, scale or pan)"],
      ]
        .filter(([found]) => !found)
        .map(([, sentence]) => `${sentence}: this version of the App is not known to the plugin`);
    }
  }

  /** The open player, and how the App colours; drawn anew with each. To be called in a component. */
  function usePlayer() {
    const { __fos__: fos, recoil, React } = window;
    const looker = recoil.useRecoilValue(fos.modalLooker);
    const coloring = fos.coloring ? recoil.useRecoilValue(fos.coloring) : null;
    const isAnnotating = Boolean(fos.useModalMode) && fos.useModalMode() === ANNOTATE;
    const player = React.useMemo(() => new Player(looker, isAnnotating), [looker, isAnnotating]);
    PT.player = player;
    return { player, coloring };
  }

  /** A colour per track: the App's own, as "Color by instance" gives it to points; others where it has no such names. */
  function colorsOf(tracks, coloring) {
    const { getColor } = window.__fou__ || {};
    if (getColor && coloring && coloring.pool) {
      return tracks.map((track) => getColor(coloring.pool, coloring.seed, `${track.label}-${track.index}-`));
    }
    return tracks.map((_, column) => `hsl(${(column * 137.5) % 360}, 85%, 60%)`);
  }

  /** A canvas over the player; nothing of it takes clicks. */
  class Overlay {
    constructor(player) {
      this.player = player;
      this.canvas = document.createElement("canvas");
      this.canvas.dataset.cy = "point-tracking-trails";
      this.canvas.style.cssText = "position:absolute;inset:0;width:100%;height:100%;pointer-events:none;z-index:5";
    }

    /** Its context, cleared; null where there is no player to lie on. */
    cleared() {
      const { host } = this.player;
      if (!host) return null;
      if (this.canvas.parentElement !== host) host.append(this.canvas);
      return PT.prepared(this.canvas, this.canvas.clientWidth, this.canvas.clientHeight);
    }

    remove() {
      this.canvas.remove();
    }
  }

  Object.assign(PT, { needed, usePlayer, colorsOf, Player, Overlay });
})();
