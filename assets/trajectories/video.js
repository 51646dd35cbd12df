/* The player of the App, as the panel "Trajectories" uses it: all inner names of FiftyOne 1.22 that it needs are here.
 *
 * Each is looked for before it is used. Without those in `needed` the panel is a plain picture, which Python draws; each of
 * `lacking` takes one thing away, and the panel says which.
 */
(function () {
  const PT = window.PointTracking;
  const HOST = '[data-cy="modal-looker-container"]';

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

  /** What a player cannot do, in sentences. */
  function lacking(looker) {
    if (!looker) return [];
    const { canvasBBox, scale, pan } = looker.state || {};
    return [
      [looker.subscribeToState, "The panel does not follow the video (no subscribeToState)"],
      [looker.seekToFrame, "Clicks do not move the video (no seekToFrame)"],
      [looker.getVideo, "The picture behind the lines stays in the first frame (no getVideo)"],
      [canvasBBox && scale && pan, "There are no trails on the video (no canvasBBox, scale or pan)"],
    ]
      .filter(([found]) => !found)
      .map(([, sentence]) => `${sentence}: this version of the App is not known to the plugin`);
  }

  /** The element that the player is in; null while the tab with the video is not in front. */
  const hostOf = () => [...document.querySelectorAll(HOST)].find((host) => host.clientWidth > 0) || null;

  const frameOf = (looker) => (looker && looker.frameNumber) || 1;

  function seek(looker, frame) {
    if (!looker || !looker.seekToFrame) return;
    if (looker.pause) looker.pause();
    looker.seekToFrame(frame);
  }

  /** The element that plays the video, where it can be drawn; null until then. */
  function pictureOf(looker) {
    try {
      const video = looker && looker.getVideo && looker.getVideo();
      return video && video.readyState >= 2 && video.videoWidth ? video : null;
    } catch {
      return null;
    }
  }

  /** Where the frame lies on the player, [left, top, width, height], enlarged and moved; null where not known. */
  function boxOf(looker) {
    const { canvasBBox, scale, pan } = (looker && looker.state) || {};
    if (!canvasBBox || !(canvasBBox[2] > 0) || !scale || !pan) return null;
    const [left, top, width, height] = canvasBBox.map((value) => value * scale);
    return [left + pan[0], top + pan[1], width, height];
  }

  /** A colour per track: the App's own, as "Color by instance" gives it to points. */
  function colorsOf(tracks, looker) {
    const own = (column) => `hsl(${(column * 137.5) % 360}, 85%, 60%)`;
    const options = (looker && looker.state && looker.state.options) || {};
    const { coloring } = options;
    const { getColor } = window.__fou__ || {};
    if (!getColor || !coloring || !coloring.pool) return tracks.map((_, column) => own(column));
    return tracks.map((track) => getColor(coloring.pool, coloring.seed, `${track.label}-${track.index}-`));
  }

  /** A canvas over the player; nothing of it takes clicks. */
  class Overlay {
    constructor() {
      this.canvas = document.createElement("canvas");
      this.canvas.dataset.cy = "point-tracking-trails";
      this.canvas.style.cssText = "position:absolute;inset:0;width:100%;height:100%;pointer-events:none;z-index:5";
    }

    /** Its context, cleared; null where there is no player to lie on. */
    cleared() {
      const host = hostOf();
      if (!host) return null;
      if (this.canvas.parentElement !== host) host.append(this.canvas);
      return PT.prepared(this.canvas, this.canvas.clientWidth, this.canvas.clientHeight);
    }

    remove() {
      this.canvas.remove();
    }
  }

  Object.assign(PT, { needed, lacking, hostOf, frameOf, seek, pictureOf, boxOf, colorsOf, Overlay });
})();
