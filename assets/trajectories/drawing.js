/* Drawing of the panel "Trajectories": lines and points of tracks on a canvas. Knows nothing of the App.
 *
 * A place on a canvas is `box` = [left, top, width, height] of the video's frame there, in pixels of the page.
 */
(function () {
  const FAINT = 0.75;
  const OTHERS = 0.18; // lines of other tracks while one is selected

  const onCanvas = (box, point) => [box[0] + point[0] * box[2], box[1] + point[1] * box[3]];

  /** Makes a canvas as sharp as the screen; returns its context, in pixels of the page. */
  function prepared(canvas, width, height) {
    const ratio = window.devicePixelRatio || 1;
    const size = [Math.round(width * ratio), Math.round(height * ratio)];
    if (canvas.width !== size[0] || canvas.height !== size[1]) [canvas.width, canvas.height] = size;
    const context = canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    return context;
  }

  function line(context, box, points) {
    context.beginPath();
    points.forEach((point, k) => {
      const [x, y] = onCanvas(box, point);
      if (k) context.lineTo(x, y);
      else context.moveTo(x, y);
    });
    context.stroke();
  }

  function disc(context, at, radius, color) {
    context.beginPath();
    context.arc(at[0], at[1], radius, 0, 2 * Math.PI);
    context.fillStyle = color;
    context.fill();
    context.lineWidth = 1;
    context.strokeStyle = "rgba(0, 0, 0, 0.7)";
    context.stroke();
  }

  /** The way of every track, the selected one above all others. */
  function drawLines(context, scene, box, colors, selected) {
    const order = [...Array(scene.count).keys()].filter((column) => column !== selected);
    if (selected !== null) order.push(selected);
    context.lineJoin = "round";
    for (const column of order) {
      const isSelected = column === selected;
      context.globalAlpha = isSelected ? 1 : selected === null ? FAINT : OTHERS;
      context.lineWidth = isSelected ? 2.5 : 1.25;
      context.strokeStyle = colors[column];
      for (const points of scene.stretches(column, 1, scene.data.num_frames)) line(context, box, points);
    }
    context.globalAlpha = 1;
  }

  /** Where every track is in a frame; the selected one has a white ring, one that was corrected there a square. */
  function drawPoints(context, scene, box, colors, selected, frame) {
    for (let column = 0; column < scene.count; column++) {
      const at = scene.at(column, frame);
      if (!at) continue;
      const place = onCanvas(box, at);
      disc(context, place, 3.5, colors[column]);
      const corrected = scene.corrected.get(scene.tracks[column].index);
      context.strokeStyle = "#ffffff";
      if (corrected && corrected.has(frame)) {
        context.lineWidth = 1.5;
        context.strokeRect(place[0] - 6, place[1] - 6, 12, 12);
      }
      if (column === selected) {
        context.lineWidth = 2;
        context.beginPath();
        context.arc(place[0], place[1], 8, 0, 2 * Math.PI);
        context.stroke();
      }
    }
  }

  /** Where every track came from in the last frames: its line grows fainter towards its end. */
  function drawTrails(context, scene, box, colors, selected, frame, tail) {
    context.lineCap = "round";
    for (let column = 0; column < scene.count; column++) {
      context.strokeStyle = colors[column];
      context.lineWidth = column === selected ? 4 : 2;
      for (const points of scene.stretches(column, Math.max(frame - tail, 1), frame)) {
        for (let k = 1; k < points.length; k++) {
          context.globalAlpha = 0.15 + 0.85 * (1 - (frame - points[k][2]) / Math.max(tail, 1));
          line(context, box, [points[k - 1], points[k]]);
        }
      }
    }
    context.globalAlpha = 1;
  }

  /** Where the frame lies on a canvas of some size, whole and in the middle, then moved and enlarged by `zoom`. */
  function fitted(size, width, height, zoom) {
    const scale = Math.min(width / size[0], height / size[1]) * zoom.scale;
    const [w, h] = [size[0] * scale, size[1] * scale];
    return [(width - w) / 2 + zoom.x, (height - h) / 2 + zoom.y, w, h];
  }

  Object.assign(window.PointTracking, { prepared, drawLines, drawPoints, drawTrails, fitted, onCanvas });
})();
