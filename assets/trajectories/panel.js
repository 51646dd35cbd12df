/* The panel "Trajectories": its picture, buttons and table. Python (panels/trajectories/panel.py) sends data and answers
 * events; `scene.js`, `drawing.js` and `video.js` beside this file are loaded before it.
 */
(function () {
  const PT = window.PointTracking;
  const { React } = window;
  const h = React.createElement;
  const REACH = 10; // pixels of the screen between a click and a line
  const TICK_MS = 700;
  const HINT = "To see the video too, press 'Split horizontally' (two columns) above, then the tab 'Sample'";
  const COLUMNS = [
    ["index", "Track", "The track's number, as its keypoints carry it"],
    ["label", "Label", "What the track is called"],
    ["object", "Object", "The index of its object"],
    ["length", "Frames", "From the first to the last frame in which it is visible"],
    ["visible", "Visible", "In how many of these frames it is visible"],
    ["speed", "Speed", "Mean way in pixels per frame"],
    ["confidence", "Confidence", "How sure the tracker is, on average"],
    ["suspicion", "Suspicion", "How likely the track is wrong, without sending it back: jumps, strays, doubt"],
  ];
  const PERCENT = ["visible", "confidence", "suspicion"];
  const shown = (name, value) =>
    value === null || value === undefined ? "–" : PERCENT.includes(name) ? `${Math.round(100 * value)} %` : value;

  /** The last value, without drawing anew when it changes. */
  function useLatest(value) {
    const latest = React.useRef(value);
    latest.current = value;
    return latest;
  }

  function Select({ label, title, value, options, onChange, id }) {
    const choices = options.map(([key, text]) => h("option", { key, value: key }, text));
    const change = (event) => onChange(event.target.value);
    return h("label", { title }, `${label} `, h("select", { value, onChange: change, "data-cy": id }, choices));
  }

  function Button({ label, title, onClick, disabled, isOn, id }) {
    const className = isOn ? "pt-on" : "";
    return h("button", { title, onClick, disabled, className, "data-cy": id, "aria-pressed": isOn }, label);
  }

  function Table({ scene, colors, selected, onSelect }) {
    const [order, setOrder] = React.useState({ name: "suspicion", down: true });
    const names = COLUMNS.filter(([name]) => name !== "object" || scene.data.objects.length);
    const rows = React.useMemo(() => {
      const known = (track) => track[order.name] !== null && track[order.name] !== undefined;
      const compared = (a, b) => (typeof a === "string" ? a.localeCompare(b) : a - b) * (order.down ? -1 : 1);
      return [...scene.tracks].sort(
        (one, two) =>
          known(two) - known(one) || (known(one) && compared(one[order.name], two[order.name])) || one.index - two.index,
      );
    }, [scene, order]);
    const body = React.useRef(null);
    React.useEffect(() => {
      const row = body.current && body.current.querySelector(".pt-selected");
      if (row) row.scrollIntoView({ block: "nearest" });
    }, [selected]);
    const head = names.map(([name, label, title]) => {
      const sign = order.name === name ? (order.down ? " ▾" : " ▴") : "";
      const sort = () => setOrder({ name, down: order.name === name ? !order.down : name !== "index" && name !== "label" });
      return h("th", { key: name, title: `${title}. Click to sort`, onClick: sort }, label + sign);
    });
    const lines = rows.map((track) => {
      const column = scene.columnOf.get(track.index);
      const cells = names.map(([name]) => {
        const dot = name === "index" && h("span", { className: "pt-dot", style: { background: colors[column] } });
        const mark = name === "index" && scene.corrected.has(track.index) ? " ✎" : "";
        return h("td", { key: name }, dot, shown(name, track[name]), mark);
      });
      const className = column === selected ? "pt-selected" : "";
      return h("tr", { key: track.index, className, onClick: () => onSelect(column), "data-track": track.index }, cells);
    });
    return h("div", { className: "pt-table", ref: body }, [
      h("table", { key: "table" }, h("thead", null, h("tr", null, head)), h("tbody", null, lines)),
    ]);
  }

  /** Draws the panel's picture and the trails whenever the frame, the zoom or what is to be drawn changes. */
  function useDrawing(scene, colors, looker, view, onFrame, onTold) {
    const canvas = React.useRef(null);
    const lines = React.useRef(null);
    const now = useLatest({ view, onFrame, onTold });
    React.useEffect(() => {
      if (!scene || !canvas.current) return undefined;
      const overlay = new PT.Overlay();
      let drawn = { picture: "", lines: "", trails: "" };
      let loop = 0;
      lines.current = lines.current || document.createElement("canvas");
      const draw = () => {
        loop = requestAnimationFrame(draw);
        const { selected, zoom, trails, tail, setting } = now.current.view;
        const frame = Math.min(PT.frameOf(looker), scene.data.num_frames);
        const { clientWidth: width, clientHeight: height } = canvas.current;
        const box = PT.fitted(scene.size, width, height, zoom);
        const window_ = scene.window ? scene.window.first : 0;
        const lineKey = [width, height, box, selected, window.devicePixelRatio].join();
        if (lineKey !== drawn.lines) {
          PT.drawLines(PT.prepared(lines.current, width, height), scene, box, colors, selected);
        }
        const video = PT.pictureOf(looker);
        const pictureKey = [lineKey, frame, window_, video && video.currentTime, setting].join();
        if (pictureKey !== drawn.picture) {
          const context = PT.prepared(canvas.current, width, height);
          if (video) {
            context.filter = setting ? "grayscale(1)" : "grayscale(1) brightness(0.6)";
            context.drawImage(video, ...box);
            context.filter = "none";
          }
          if (!setting) context.drawImage(lines.current, 0, 0, width, height);
          PT.drawPoints(context, scene, box, colors, selected, frame);
          now.current.onFrame(frame);
        }
        now.current.onTold(PT.hostOf() ? PT.lacking(looker).join("\n") : HINT);
        const place = trails ? PT.boxOf(looker) : null;
        const trailKey = [place, frame, window_, tail, selected, overlay.canvas.clientWidth].join();
        if (place && trailKey !== drawn.trails) {
          const context = overlay.cleared();
          if (context) PT.drawTrails(context, scene, place, colors, selected, frame, tail);
        } else if (!place) overlay.remove();
        drawn = { picture: pictureKey, lines: lineKey, trails: trailKey };
      };
      draw();
      return () => {
        cancelAnimationFrame(loop);
        overlay.remove();
      };
    }, [scene, colors, looker]);
    return canvas;
  }

  /** Makes the picture larger around the pointer, and moves it. */
  function useZoom(canvas) {
    const [zoom, setZoom] = React.useState({ scale: 1, x: 0, y: 0 });
    React.useEffect(() => {
      const element = canvas.current;
      if (!element) return undefined;
      const turn = (event) => {
        event.preventDefault();
        const { left, top, width, height } = element.getBoundingClientRect();
        const at = [event.clientX - left - width / 2, event.clientY - top - height / 2];
        setZoom((old) => {
          const scale = Math.min(Math.max(old.scale * Math.exp(-event.deltaY / 400), 1), 20);
          const share = scale / old.scale;
          if (scale === 1) return { scale, x: 0, y: 0 };
          return { scale, x: at[0] - (at[0] - old.x) * share, y: at[1] - (at[1] - old.y) * share };
        });
      };
      element.addEventListener("wheel", turn, { passive: false });
      return () => element.removeEventListener("wheel", turn);
    }, [canvas.current]);
    return [zoom, setZoom];
  }

  function Panel({ data, send, looker }) {
    const scene = React.useMemo(() => (data.scene.problem ? null : new PT.Scene(data.scene)), [data.scene.key]);
    PT.shown = scene;
    const colors = React.useMemo(() => (scene ? PT.colorsOf(scene.tracks, looker) : []), [scene, looker]);
    const [track, setTrack] = React.useState(null);
    const [told, setTold] = React.useState(""); // of the player
    const [setting, setSetting] = React.useState(false);
    const [trails, setTrails] = React.useState(PT.remembered.trails);
    const [tail, setTail] = React.useState(PT.remembered.tail);
    Object.assign(PT.remembered, { trails, tail });
    const status = data.status || {};
    const selected = scene && scene.columnOf.has(track) ? scene.columnOf.get(track) : null;
    const counter = React.useRef(null);
    const asked = React.useRef(null);
    const onFrame = (frame) => {
      if (counter.current) counter.current.textContent = `Frame ${frame} of ${scene.data.num_frames}`;
      if (!scene.needsWindow(frame) || asked.current === frame) return;
      asked.current = frame;
      send("look_closer", { frame, tracks: scene.tracks.map((one) => one.index) });
    };
    const place = React.useRef(null);
    const [zoom, setZoom] = useZoom(place);
    const canvas = useDrawing(scene, colors, looker, { selected, zoom, trails, tail, setting }, onFrame, setTold);
    const drag = React.useRef(null);
    const frame = () => Math.min(PT.frameOf(looker), scene.data.num_frames);

    React.useEffect(() => {
      if (scene) scene.addWindow(data.window);
    }, [scene, data.window && data.window.first, data.window && data.window.stamp]);
    React.useEffect(() => {
      if (data.picked && data.picked.track) setTrack(data.picked.track);
    }, [data.picked && data.picked.key]);
    React.useEffect(() => {
      if (!status.running) return undefined;
      const timer = setInterval(() => send("tick", { frame: PT.frameOf(looker) }), TICK_MS);
      return () => clearInterval(timer);
    }, [status.running, looker]);

    if (!scene) {
      const again = h(Button, { label: "Look again", onClick: () => send("look_again"), id: "pt-look-again" });
      return h("div", { className: "pt-empty" }, h("p", { "data-cy": "pt-problem" }, data.scene.problem), again);
    }

    const select = (column, wanted) => {
      const number = scene.visibleNear(column, wanted);
      setTrack(scene.tracks[column].index);
      if (number === null) return;
      PT.seek(looker, number);
      send("pick", { track: scene.tracks[column].index, frame: number });
    };
    const click = (event) => {
      const { left, top, width, height } = canvas.current.getBoundingClientRect();
      const box = PT.fitted(scene.size, width, height, zoom);
      const x = (event.clientX - left - box[0]) / box[2];
      const y = (event.clientY - top - box[1]) / box[3];
      if (setting && selected !== null) {
        if (x >= 0 && x <= 1 && y >= 0 && y <= 1) send("set_position", { track, frame: frame(), x, y });
        return;
      }
      const scale = [box[2], box[3]];
      const near = scene.nearestPoint(x, y, frame(), scale, REACH) || scene.nearest(x, y, scale, REACH);
      if (near) select(near.column, near.frame);
      else setTrack(null);
    };
    const down = (event) => {
      drag.current = { x: event.clientX, y: event.clientY, moved: false };
    };
    const move = (event) => {
      const from = drag.current;
      if (!from || !event.buttons) return;
      const step = [event.clientX - from.x, event.clientY - from.y];
      if (!from.moved && Math.hypot(...step) < 4) return;
      drag.current = { x: event.clientX, y: event.clientY, moved: true };
      if (zoom.scale > 1) setZoom((old) => ({ ...old, x: old.x + step[0], y: old.y + step[1] }));
    };
    const up = (event) => {
      if (drag.current && !drag.current.moved) click(event);
      drag.current = null;
    };

    const any = [["", "any"]];
    const { locked } = scene.data;
    const nothing = selected === null;
    const first = nothing ? "Select a track first. " : "";
    const pending = (status.pending || []).length;
    const setup = [
      scene.data.fields.length > 1 &&
        h(Select, {
          key: "field", id: "pt-field", label: "Tracks", title: "The field with the tracks", value: scene.data.field,
          options: scene.data.fields.map((name) => [name, name]),
          onChange: (field) => send("choose", { field, label: null, object: null }),
        }),
      scene.data.labels.length > 1 &&
        h(Select, {
          key: "label", id: "pt-label", label: "Label", title: "Show tracks of one label alone",
          value: scene.data.label || "", options: [...any, ...scene.data.labels.map((name) => [name, name])],
          onChange: (label) => send("choose", { label: label || null }),
        }),
      scene.data.objects.length > 1 &&
        h(Select, {
          key: "object", id: "pt-object", label: "Object", title: "Show tracks of one object alone",
          value: scene.data.object === null ? "" : String(scene.data.object),
          options: [...any, ...scene.data.objects.map((one) => [String(one), String(one)])],
          onChange: (one) => send("choose", { object: one === "" ? null : Number(one) }),
        }),
      h("span", { key: "count" }, `${scene.count} ${scene.count === 1 ? "track" : "tracks"}`),
      h("span", { key: "frame", ref: counter, "data-cy": "pt-frame" }),
      h("label", { key: "trails", title: "Draw where each point came from on the video itself; nothing is stored" },
        h("input", {
          type: "checkbox", checked: trails, "data-cy": "pt-trails", onChange: (event) => setTrails(event.target.checked),
        }), " Trails on the video"),
      trails &&
        h("label", { key: "tail", title: "How many frames the trails go back" },
          h("input", {
            type: "range", min: 1, max: 90, value: tail, "data-cy": "pt-tail",
            onChange: (event) => setTail(Number(event.target.value)),
          }), ` ${tail} frames`),
    ];
    const buttons = [
      h(Button, {
        key: "set", id: "pt-set", label: "Set position", isOn: setting, disabled: Boolean(locked) || (nothing && !setting),
        title: `${first}While this is on, a click in the picture says where the selected track is in this frame`,
        onClick: () => setSetting(!setting),
      }),
      h(Button, {
        key: "wrong", id: "pt-wrong", label: "Wrong from here", disabled: Boolean(locked) || nothing,
        title: `${first}Hides the selected track from this frame on`,
        onClick: () => send("wrong_from_here", { track, frame: frame() }),
      }),
      h(Button, {
        key: "again", id: "pt-again", label: pending ? `Track again (${pending})` : "Track again", isOn: pending > 0,
        disabled: Boolean(locked) || status.running || !(pending || scene.corrected.size),
        title: "Follows the corrected tracks again, through all positions that were set; other tracks stay as they are",
        onClick: () => send("track_again", { frame: frame() }),
      }),
      status.running && h(Button, { key: "stop", label: "Stop", title: "Positions stay", onClick: () => send("stop") }),
      h(Button, {
        key: "back", id: "pt-back", label: "Take back", disabled: Boolean(locked) || status.running,
        title: "Takes the last correction of this video back", onClick: () => send("take_back"),
      }),
      h(Button, {
        key: "refresh", id: "pt-refresh", label: "Refresh the video", isOn: Boolean(status.stale),
        title: "The player draws its points as they were when the video was opened. This draws them anew, in the same frame",
        onClick: () => send("refresh", { frame: frame() }),
      }),
    ];
    const help = setting
      ? `Click where track ${track} is in this frame. The wheel makes the picture larger, dragging moves it`
      : "Click on a line to go there and select its track; the wheel makes the picture larger";
    const notes = [...told.split("\n"), ...scene.data.told, locked].filter(Boolean);
    return h(
      "div",
      { className: "pt-panel", "data-cy": "pt-panel", ref: PT.fillPanel },
      h("div", { className: "pt-bar" }, setup),
      notes.map((text) => h("div", { key: text, className: "pt-told", "data-cy": "pt-told" }, text)),
      h("canvas", {
        ref: (element) => { canvas.current = place.current = element; },
        "data-cy": "pt-picture", className: setting ? "pt-picture pt-setting" : "pt-picture", title: help,
        onMouseDown: down, onMouseMove: move, onMouseUp: up,
        onDoubleClick: () => !setting && setZoom({ scale: 1, x: 0, y: 0 }),
      }),
      h("div", { className: "pt-bar" }, buttons),
      h("div", { className: "pt-help", "data-cy": "pt-status" }, status.text || help),
      h(Table, { scene, colors, selected, onSelect: (column) => select(column, frame()) }),
    );
  }

  PT.remembered = { trails: true, tail: 15 };
  PT.Panel = Panel;
})();
