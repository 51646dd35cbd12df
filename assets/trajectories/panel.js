/* The panel "Trajectories" as a whole. Python (panels/trajectories/panel.py) sends data and answers events; the files
 * beside this one, but for `component.js`, are loaded before it.
 */
(function () {
  const PT = window.PointTracking;
  const { React } = window;
  const h = React.createElement;
  const REACH = 10; // pixels of the screen between a click and a line
  const TICK_MS = 700;
  const LOOK_MS = 300;
  const SETTLE_MS = 400; // what is opened is told by the App and by its player, one after the other
  const HINT = "To see the video too, press 'Split horizontally' (two columns) above, then the tab 'Sample'";
  const BROKEN = "The player cannot play this video: its tracks are shown without it, and cannot be corrected here";
  const IN_ANNOTATE = "Annotate has a player of its own: the panel shows tracks. It follows the video and corrects in Explore";

  function Select({ label, title, value, options, onChange, id }) {
    const choices = options.map(([key, text]) => h("option", { key, value: key }, text));
    const change = (event) => onChange(event.target.value);
    return h("label", { title }, `${label} `, h("select", { value, onChange: change, "data-cy": id }, choices));
  }

  function Button({ label, title, onClick, disabled, isOn, id }) {
    const className = isOn ? "pt-on" : "";
    return h("button", { title, onClick, disabled, className, "data-cy": id, "aria-pressed": isOn }, label);
  }

  /** Which tracks are shown: field, label, object, and which part where there are too many. */
  function Choices({ data, send }) {
    const listed = (values) => values.map((one) => [String(one), String(one)]);
    const any = ["", "any"];
    return [
      data.fields.length > 1 &&
        h(Select, {
          key: "field", id: "pt-field", label: "Tracks", title: "The field with the tracks", value: data.field,
          options: listed(data.fields), onChange: (field) => send("choose", { field, label: null, object: null }),
        }),
      data.labels.length > 1 &&
        h(Select, {
          key: "label", id: "pt-label", label: "Label", title: "Show tracks of one label alone",
          value: data.label || "", options: [any, ...listed(data.labels)],
          onChange: (label) => send("choose", { label: label || null }),
        }),
      data.objects.length > 1 &&
        h(Select, {
          key: "object", id: "pt-object", label: "Object", title: "Show tracks of one object alone",
          value: data.object === null ? "" : String(data.object), options: [any, ...listed(data.objects)],
          onChange: (one) => send("choose", { object: one === "" ? null : Number(one) }),
        }),
      data.parts > 1 &&
        h(Select, {
          key: "part", id: "pt-part", label: "Part", title: "Too many tracks for one picture: each part has some, evenly chosen",
          value: String(data.part),
          options: [...Array(data.parts).keys()].map((k) => [String(k + 1), `${k + 1} of ${data.parts}`]),
          onChange: (part) => send("choose", { part: Number(part) }),
        }),
    ];
  }

  /** Whether trails are drawn on the video, and how long they are; kept for the next video. */
  function Trails({ trails, tail, onChange }) {
    return [
      h("label", { key: "trails", title: "Draw where each point came from on the video itself; nothing is stored" },
        h("input", {
          type: "checkbox", checked: trails, "data-cy": "pt-trails",
          onChange: (event) => onChange({ tail, trails: event.target.checked }),
        }), " Trails on the video"),
      trails &&
        h("label", { key: "tail", title: "How many frames the trails go back" },
          h("input", {
            type: "range", min: 1, max: 90, value: tail, "data-cy": "pt-tail",
            onChange: (event) => onChange({ trails, tail: Number(event.target.value) }),
          }), ` ${tail} ${tail === 1 ? "frame" : "frames"}`),
    ];
  }

  /** The buttons that correct tracks. */
  function Buttons({ scene, status, track, player, setting, onSetting, send }) {
    const isLocked = Boolean(scene.data.locked) || player.frame === null;
    const pending = (status.pending || []).length;
    const first = track === null ? "Select a track first. " : "";
    return h("div", { className: "pt-bar" },
      h(Button, {
        id: "pt-set", label: "Set position", isOn: setting, disabled: isLocked || (track === null && !setting),
        title: `${first}While this is on, a click in the picture says where the selected track is in this frame`,
        onClick: onSetting,
      }),
      h(Button, {
        id: "pt-wrong", label: "Wrong from here", disabled: isLocked || track === null,
        title: `${first}Hides the selected track from this frame on`, onClick: () => send("wrong_from_here", { track }),
      }),
      h(Button, {
        id: "pt-again", label: pending ? `Track again (${pending})` : "Track again", isOn: pending > 0,
        disabled: isLocked || status.running || !(pending || scene.corrected.size),
        title: "Follows the corrected tracks again, through all positions that were set; other tracks stay as they are",
        onClick: () => send("track_again"),
      }),
      status.running && h(Button, { id: "pt-stop", label: "Stop", title: "Positions stay", onClick: () => send("stop") }),
      h(Button, {
        id: "pt-back", label: "Take back", disabled: isLocked || status.running,
        title: "Takes the last correction of this video back", onClick: () => send("take_back"),
      }),
      h(Button, {
        id: "pt-refresh", label: "Refresh the video", isOn: Boolean(status.stale), disabled: player.isAnnotating,
        title: "The player draws its points as they were when the video was opened. This draws them anew, in the same frame",
        onClick: () => send("refresh"),
      }),
    );
  }

  /** What `look` finds at the player, now and then: it tells nobody when it changes. */
  function useLooked(player, look) {
    const [found, setFound] = React.useState(() => look(player));
    React.useEffect(() => {
      const again = () => setFound(look(player));
      again();
      const timer = setInterval(again, LOOK_MS);
      return () => clearInterval(timer);
    }, [player]);
    return found;
  }

  function notesOf(player) {
    const where = player.isAnnotating ? IN_ANNOTATE : player.isBroken ? BROKEN : player.host ? "" : HINT;
    return [where, ...player.lacking].join("\n");
  }

  /** What the panel shows where there are tracks. `send` tells Python what a person did, and in which frame. */
  function Tracks({ scene, data, send, player, coloring, track, setTrack }) {
    const colors = React.useMemo(() => PT.colorsOf(scene.tracks, coloring), [scene, coloring]);
    const [wantsSetting, setSetting] = React.useState(false);
    const setting = wantsSetting && player.frame !== null;
    const [shown, setShown] = React.useState(PT.remembered);
    PT.remembered = shown;
    const status = data.status || {};
    const selected = scene.columnOf.has(track) ? scene.columnOf.get(track) : null;
    const notes = [...useLooked(player, notesOf).split("\n"), ...scene.data.told, ...scene.data.left_out, scene.data.locked].filter(Boolean);
    const counter = React.useRef(null);
    const asked = React.useRef(null);
    const onFrame = (frame) => {
      const last = scene.data.num_frames;
      const where = frame > last ? `Frame ${frame}, behind the ${last} that were tracked` : `Frame ${frame} of ${last}`;
      if (counter.current) counter.current.textContent = frame === null ? `${last} frames` : where;
      if (frame === null || !scene.needsWindow(frame) || asked.current === frame) return;
      asked.current = frame;
      send("look_closer", { tracks: scene.tracks.map((one) => one.index) });
    };
    const select = (column, wanted) => {
      const { index } = scene.tracks[column];
      const frame = scene.visibleNear(column, wanted);
      setTrack(index);
      if (frame !== null && player.seek(frame)) send("pick", { track: index, frame });
    };
    const onClick = (x, y, scale) => {
      if (setting && selected !== null) {
        if (x >= 0 && x <= 1 && y >= 0 && y <= 1) send("set_position", { track, x, y });
        return;
      }
      const frame = player.frame;
      const point = frame === null ? null : scene.nearestPoint(x, y, frame, scale, REACH);
      const near = point || scene.nearest(x, y, scale, REACH);
      if (near) select(near.column, near.frame);
      else setTrack(null);
    };
    const help = setting
      ? `Click where track ${track} is in this frame. The wheel makes the picture larger, dragging moves it`
      : "Click on a line to go there and select its track; the wheel makes the picture larger";
    return h("div", { className: "pt-panel", "data-cy": "pt-panel", ref: PT.fillPanel },
      h("div", { className: "pt-bar" },
        Choices({ data: scene.data, send }),
        h("span", null, `${scene.count} ${scene.count === 1 ? "track" : "tracks"}`),
        h("span", { ref: counter, "data-cy": "pt-frame" }),
        Trails({ ...shown, onChange: setShown }),
      ),
      notes.map((text) => h("div", { key: text, className: "pt-told", "data-cy": "pt-told" }, text)),
      h(PT.Picture, { scene, colors, player, selected, setting, ...shown, title: help, onFrame, onClick }),
      h(Buttons, {
        scene, status, track: selected === null ? null : track, player, setting, send,
        onSetting: () => setSetting(!setting),
      }),
      h("div", { className: "pt-help", "data-cy": "pt-status" }, status.text || help),
      h(PT.Table, { scene, colors, selected, onSelect: (column) => select(column, player.frame) }),
    );
  }

  const sampleOf = (player) => player.sample;

  function Panel({ data, send }) {
    const { player, coloring } = PT.usePlayer();
    const of = `${data.scene.sample} ${data.scene.field}`;
    const [picked, setPicked] = React.useState(PT.picked);
    PT.picked = picked;
    const track = picked.of === of ? picked.track : null;
    const setTrack = (index) => setPicked({ of, track: index });
    const scene = React.useMemo(() => (data.scene.problem ? null : new PT.Scene(data.scene)), [data.scene.key]);
    PT.shown = scene;
    const { window: exact, picked: clicked, status } = data;
    const tell = (event, params) => {
      send(event, { frame: scene && player.frame, annotating: player.isAnnotating, ...params });
    };
    // of a group the App says which video was opened, not which one is looked at; of others this is over in a moment
    const played = useLooked(player, sampleOf);
    const isOther = Boolean(played) && played !== data.scene.opened;
    React.useEffect(() => {
      if (!isOther) return undefined;
      const timer = setTimeout(() => send("show_slice", { opened: played }), SETTLE_MS);
      return () => clearTimeout(timer);
    }, [isOther, played, data.scene.key]);
    React.useEffect(() => {
      if (scene) scene.addWindow(exact);
    }, [scene, exact && exact.first, exact && exact.stamp]);
    React.useEffect(() => {
      if (!clicked || !clicked.track) return;
      setTrack(clicked.track);
      if (scene && !scene.columnOf.has(clicked.track)) tell("choose", { track: clicked.track });
    }, [clicked && clicked.key]);
    const isRunning = Boolean(status && status.running);
    React.useEffect(() => {
      if (!isRunning) return undefined;
      const timer = setInterval(() => tell("tick"), TICK_MS);
      return () => clearInterval(timer);
    }, [isRunning, player]);

    if (isOther) return h("div", { className: "pt-empty" }, "Reading the tracks ...");
    if (scene) return h(Tracks, { key: of, scene, data, send: tell, player, coloring, track, setTrack });
    const again = h(Button, { label: "Look again", onClick: () => send("look_again"), id: "pt-look-again" });
    return h("div", { className: "pt-empty" }, h("p", { "data-cy": "pt-problem" }, data.scene.problem), again);
  }

  // kept when the player is opened anew, which closes the panel for a moment
  PT.remembered = { trails: true, tail: 15 };
  PT.picked = { of: "", track: null };
  PT.Panel = Panel;
})();
