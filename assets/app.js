/* What Python operators cannot do in the App: opening a sample as a click in the grid does.
 *
 * FiftyOne's own `open_sample` shows a sample with the fields and switches that the last opened one had. A click
 * copies those of the grid first, new fields among them; so does this operator. No build: the page's globals are
 * the interface. `useSetModalState` is an inner name of FiftyOne 1.22: where it is missing, the sample opens as usual.
 */
(function () {
  const foo = window.__foo__;
  const fos = window.__fos__;
  if (!foo || !fos) return;

  class OpenSampleAnew extends foo.Operator {
    get config() {
      return new foo.OperatorConfig({ name: "open_sample_anew", label: "Open a sample with its new fields", unlisted: true });
    }

    useHooks() {
      return {
        copyStateOfGrid: fos.useSetModalState ? fos.useSetModalState() : null,
        expand: fos.useSetExpandedSample(),
      };
    }

    async execute({ hooks, params }) {
      if (hooks.copyStateOfGrid) await hooks.copyStateOfGrid();
      await hooks.expand({ id: params.id });
    }
  }

  foo.registerOperator(OpenSampleAnew, "@fo-video/point-tracking");
})();
