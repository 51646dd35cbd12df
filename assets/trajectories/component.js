/* Registers the panel "Trajectories" with the App, under the name that panels/trajectories/panel.py gives. */
(function () {
  const PT = window.PointTracking;
  const { React, __fop__: fop, __foo__: foo } = window;
  if (!fop || !React) return;
  const h = React.createElement;

  const STYLE = `
    .pt-panel { display: flex; flex-direction: column; gap: 6px; height: 100%; min-height: 480px; padding: 8px;
      box-sizing: border-box; font-size: 13px; color: var(--fo-palette-text-primary, #eee); }
    .pt-bar { display: flex; flex-wrap: wrap; gap: 6px 14px; align-items: center; }
    .pt-bar label { display: inline-flex; align-items: center; gap: 5px; white-space: nowrap; }
    .pt-bar select, .pt-bar button, .pt-empty button { font: inherit; padding: 4px 10px; border-radius: 4px;
      color: inherit; cursor: pointer; background: var(--fo-palette-background-level1, #333);
      border: 1px solid var(--fo-palette-divider, #555); }
    .pt-bar button:disabled { opacity: 0.45; cursor: default; }
    .pt-bar button.pt-on { background: var(--fo-palette-primary-main, #ff6d04); color: #fff; }
    .pt-bar input { accent-color: var(--fo-palette-primary-main, #ff6d04); }
    .pt-told { padding: 5px 8px; border-left: 3px solid var(--fo-palette-primary-main, #ff6d04);
      background: var(--fo-palette-background-level1, #333); }
    .pt-help { min-height: 1.3em; color: var(--fo-palette-text-secondary, #aaa); }
    .pt-picture { flex: 3 1 240px; min-height: 200px; width: 100%; background: #111; cursor: pointer; border-radius: 4px; }
    .pt-setting { cursor: crosshair; outline: 2px solid var(--fo-palette-primary-main, #ff6d04); outline-offset: -2px; }
    .pt-table { flex: 2 1 140px; min-height: 120px; overflow: auto; }
    .pt-table table { border-collapse: collapse; width: 100%; }
    .pt-table th { position: sticky; top: 0; text-align: left; cursor: pointer; padding: 3px 8px; white-space: nowrap;
      background: var(--fo-palette-background-level1, #333); }
    .pt-table td { padding: 2px 8px; }
    .pt-table tr { cursor: pointer; }
    .pt-table tbody tr:hover, .pt-table tr.pt-selected { background: var(--fo-palette-background-level1, #444); }
    .pt-table tr.pt-selected td { font-weight: 600; }
    .pt-dot { display: inline-block; width: 9px; height: 9px; border-radius: 50%; margin-right: 7px; }
    .pt-empty { padding: 24px; color: var(--fo-palette-text-secondary, #aaa); }
  `;

  function addStyle() {
    if (document.getElementById("pt-style")) return;
    const style = document.createElement("style");
    style.id = "pt-style";
    style.textContent = STYLE;
    document.head.append(style);
  }

  /** Makes an element as high as the panel that it is in, which the App does not. */
  PT.fillPanel = (element) => {
    const content = element && element.closest('[data-cy^="panel-content"]');
    if (!content || element.dataset.watched) return;
    element.dataset.watched = "yes";
    const fit = () => {
      const above = element.getBoundingClientRect().top - content.getBoundingClientRect().top + content.scrollTop;
      element.style.height = `${Math.max(content.clientHeight - above - 4, 0)}px`;
    };
    new ResizeObserver(fit).observe(content);
    fit();
  };

  function PointTrajectories({ data, schema }) {
    const { view } = schema;
    const missing = PT.needed();
    const trigger = foo && foo.usePanelEvent ? foo.usePanelEvent() : null;
    const scene = data && data.scene;
    const panel = scene && scene.panel;
    const send = React.useCallback(
      (event, params) => {
        const shown = { sample: scene.sample, field: scene.field, stamp: scene.stamp };
        if (trigger) trigger(panel, { operator: view[`on_${event}`], params: { ...shown, ...params } });
      },
      [trigger, view, scene && scene.key],
    );
    React.useEffect(() => {
      addStyle();
      // the App may load a panel a second time, which forgets it
      if (scene && scene.script !== "here") send("script_is_here", { missing });
    }, [scene && scene.key]);
    if (!scene) return h("div", { className: "pt-empty" }, "Reading the tracks ...");
    if (missing.length) return h("div", { className: "pt-empty" }, `This version of the App has no ${missing.join(", ")}`);
    return h(PT.Panel, { data, send });
  }

  fop.registerComponent({
    name: "PointTrajectories",
    label: "Trajectories",
    component: PointTrajectories,
    type: fop.PluginComponentType.Component,
    activator: () => true,
  });
})();
