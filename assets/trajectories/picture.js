/* The picture of the panel "Trajectories": lines and points over the grey frame, which it draws whenever the frame, the
 * zoom or what is to be drawn changes; and the trails on the video, which change at the same times.
 */
(function () {
  const PT = window.PointTracking;
  const { React } = window;
  const h = React.createElement;
  const MOST_ENLARGED = 20;
  const DRAG_FROM = 4; // pixels that the pointer moves before it is no click any more
  const WHOLE = { scale: 1, x: 0, y: 0 };

  /** The last value, without drawing anew when it changes. */
  function useLatest(value) {
    const latest = React.useRef(value);
    latest.current = value;
    return latest;
  }

  /** The frame, and what is known of tracks in it. */
  function drawPicture(canvas, lines, { scene, colors, picture, box, selected, setting, frame }) {
    const { clientWidth: width, clientHeight: height } = canvas;
    const context = PT.prepared(canvas, width, height);
    if (picture) {
      context.filter = setting ? "grayscale(1)" : "grayscale(1) brightness(0.6)";
      context.drawImage(picture, ...box);
      context.filter = "none";
    }
    // where a point is to be set, lines would hide what it lies on
    if (!setting) context.drawImage(lines, 0, 0, width, height);
    if (frame !== null) PT.drawPoints(context, scene, box, colors, selected, frame);
  }

  /** What draws one picture after the other: a function to call as often as the screen changes. */
  function drawer(canvas, scene, colors, player, overlay) {
    const lines = document.createElement("canvas");
    let drawn = { picture: "", lines: "", trails: "" };
    return ({ selected, zoom, trails, tail, setting, onFrame }) => {
      const { frame } = player;
      const { clientWidth: width, clientHeight: height } = canvas;
      const box = PT.fitted(scene.size, width, height, zoom);
      const exact = scene.window ? scene.window.first : 0;
      const lineKey = [width, height, box, selected, window.devicePixelRatio].join();
      if (lineKey !== drawn.lines) {
        PT.drawLines(PT.prepared(lines, width, height), scene, box, colors, selected);
      }
      const picture = player.picture;
      const pictureKey = [lineKey, frame, exact, picture && picture.currentTime, setting].join();
      if (pictureKey !== drawn.picture && width && height) {
        drawPicture(canvas, lines, { scene, colors, picture, box, selected, setting, frame });
        onFrame(frame);
      }
      const place = trails ? player.box : null;
      const trailKey = [place, frame, exact, tail, selected, overlay.canvas.clientWidth].join();
      if (!place) overlay.remove();
      else if (trailKey !== drawn.trails) {
        const context = overlay.cleared();
        if (context) PT.drawTrails(context, scene, place, colors, selected, frame, tail);
      }
      drawn = { picture: pictureKey, lines: lineKey, trails: trailKey };
    };
  }

  function useDrawing(canvas, scene, colors, player, wanted) {
    const latest = useLatest(wanted);
    React.useEffect(() => {
      const overlay = new PT.Overlay(player);
      const draw = drawer(canvas.current, scene, colors, player, overlay);
      let loop = 0;
      const again = () => {
        loop = requestAnimationFrame(again);
        draw(latest.current);
      };
      again();
      return () => {
        cancelAnimationFrame(loop);
        overlay.remove();
      };
    }, [scene, colors, player]);
  }

  /** Makes the picture larger around the pointer by the wheel. */
  function useZoom(canvas) {
    const [zoom, setZoom] = React.useState(WHOLE);
    React.useEffect(() => {
      const element = canvas.current;
      const turn = (event) => {
        event.preventDefault();
        const { left, top, width, height } = element.getBoundingClientRect();
        const at = [event.clientX - left - width / 2, event.clientY - top - height / 2];
        setZoom((old) => {
          const scale = Math.min(Math.max(old.scale * Math.exp(-event.deltaY / 400), 1), MOST_ENLARGED);
          const share = scale / old.scale;
          if (scale === 1) return WHOLE;
          return { scale, x: at[0] - (at[0] - old.x) * share, y: at[1] - (at[1] - old.y) * share };
        });
      };
      // React's own listeners cannot keep the page from scrolling
      element.addEventListener("wheel", turn, { passive: false });
      return () => element.removeEventListener("wheel", turn);
    }, []);
    return [zoom, setZoom];
  }

  /** Listeners that tell a click from a drag, which moves an enlarged picture. */
  function usePointer(zoom, setZoom, onClick) {
    const from = React.useRef(null);
    const onMouseDown = (event) => {
      from.current = { x: event.clientX, y: event.clientY, moved: false };
    };
    const onMouseMove = (event) => {
      if (!from.current || !event.buttons) return;
      const step = [event.clientX - from.current.x, event.clientY - from.current.y];
      if (!from.current.moved && Math.hypot(...step) < DRAG_FROM) return;
      from.current = { x: event.clientX, y: event.clientY, moved: true };
      if (zoom.scale > 1) setZoom((old) => ({ ...old, x: old.x + step[0], y: old.y + step[1] }));
    };
    const onMouseUp = (event) => {
      if (from.current && !from.current.moved) onClick(event);
      from.current = null;
    };
    return { onMouseDown, onMouseMove, onMouseUp };
  }

  /** `onClick` is given the place as shares of the frame, and how many pixels of the screen the frame is wide and high. */
  function Picture({ scene, colors, player, selected, setting, trails, tail, title, onFrame, onClick }) {
    const canvas = React.useRef(null);
    const [zoom, setZoom] = useZoom(canvas);
    useDrawing(canvas, scene, colors, player, { selected, zoom, trails, tail, setting, onFrame });
    const pointer = usePointer(zoom, setZoom, (event) => {
      const { left, top, width, height } = canvas.current.getBoundingClientRect();
      const box = PT.fitted(scene.size, width, height, zoom);
      onClick((event.clientX - left - box[0]) / box[2], (event.clientY - top - box[1]) / box[3], [box[2], box[3]]);
    });
    return h("canvas", {
      ref: canvas, title, "data-cy": "pt-picture", className: setting ? "pt-picture pt-setting" : "pt-picture",
      onDoubleClick: () => !setting && setZoom(WHOLE), ...pointer,
    });
  }

  PT.Picture = Picture;
})();
