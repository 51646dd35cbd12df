/* The table of the panel "Trajectories": one row per track, sorted by a click on a column, selected by a click on a row. */
(function () {
  const PT = window.PointTracking;
  const { React } = window;
  const h = React.createElement;
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
  // these are sorted upwards first, of others the largest comes first
  const UPWARDS = ["index", "label", "object"];

  const isKnown = (value) => value !== null && value !== undefined;

  function shown(name, value) {
    if (!isKnown(value)) return "–";
    return PERCENT.includes(name) ? `${Math.round(100 * value)} %` : value;
  }

  /** Tracks by one of their values; those without it come last, and equal ones by number. */
  function sorted(tracks, { name, down }) {
    const compared = (a, b) => (typeof a === "string" ? a.localeCompare(b) : a - b) * (down ? -1 : 1);
    return [...tracks].sort((one, two) => {
      const [a, b] = [one[name], two[name]];
      return isKnown(b) - isKnown(a) || (isKnown(a) && compared(a, b)) || one.index - two.index;
    });
  }

  function Row({ track, names, color, isCorrected, isSelected, onClick }) {
    const cells = names.map((name) => {
      if (name !== "index") return h("td", { key: name }, shown(name, track[name]));
      const dot = h("span", { className: "pt-dot", style: { background: color } });
      return h("td", { key: name }, dot, track.index, isCorrected ? h("span", { title: "It was corrected" }, " ✎") : null);
    });
    return h("tr", { className: isSelected ? "pt-selected" : "", onClick, "data-track": track.index }, cells);
  }

  function Table({ scene, colors, selected, onSelect }) {
    const [order, setOrder] = React.useState({ name: "suspicion", down: true });
    const columns = COLUMNS.filter(([name]) => name !== "object" || scene.data.objects.length);
    const rows = React.useMemo(() => sorted(scene.tracks, order), [scene, order]);
    const body = React.useRef(null);
    React.useEffect(() => {
      const row = body.current && body.current.querySelector(".pt-selected");
      if (row) row.scrollIntoView({ block: "nearest" });
    }, [selected, scene]);
    const head = columns.map(([name, label, title]) => {
      const isSorted = order.name === name;
      const sort = () => setOrder({ name, down: isSorted ? !order.down : !UPWARDS.includes(name) });
      const sign = isSorted ? (order.down ? " ▾" : " ▴") : "";
      return h("th", { key: name, title: `${title}. Click to sort`, onClick: sort, "data-column": name }, label + sign);
    });
    const lines = rows.map((track) => {
      const column = scene.columnOf.get(track.index);
      return h(Row, {
        key: track.index, track, names: columns.map(([name]) => name), color: colors[column],
        isCorrected: scene.corrected.has(track.index), isSelected: column === selected, onClick: () => onSelect(column),
      });
    });
    const table = h("table", null, h("thead", null, h("tr", null, head)), h("tbody", null, lines));
    return h("div", { className: "pt-table", ref: body }, table);
  }

  PT.Table = Table;
})();
