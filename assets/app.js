/* What Python operators cannot do in the App: showing in samples that were opened before what is stored now. The panel
 * "Trajectories" is in the files of `trajectories`, which are loaded from here.
 *
 * A sample that is opened a second time shows in its first frame the labels it had the first time: the page keeps
 * them. `load_opened_samples` loads those samples anew. FiftyOne's own `open_sample` moreover shows a sample with the
 * fields and switches that the last opened one had, where a click copies those of the grid, new fields among them;
 * `open_sample_anew` does both. No build: the page's globals are the interface. `getCurrentEnvironment`,
 * `useUpdateSamples`, `useSetModalState`, `useClearModal`, `modalSelector`, `modalNavigation` and `useSetSelectedLabels` are
 * inner names of FiftyOne 1.22, `commitUpdate` is one of Relay: where one is missing, samples are opened, or labels
 * selected, without what it does. `modalLooker` and its `seekToFrame` are too: without them a sample opens in its first
 * frame.
 */
(function () {
  const foo = window.__foo__;
  const fos = window.__fos__;
  const recoil = window.recoil;
  if (!foo || !fos) return;

  const here = document.currentScript ? document.currentScript.src : "";

  // in this order; the time keeps the browser from taking files of another version
  async function loadPanel() {
    for (const name of ["scene", "drawing", "video", "picture", "table", "panel", "component"]) {
      await new Promise((loaded, failed) => {
        const script = document.createElement("script");
        script.src = new URL(`trajectories/${name}.js?t=${Date.now()}`, here).href;
        script.onload = loaded;
        script.onerror = () => failed(new Error(`${script.src} did not load`));
        document.head.append(script);
      });
    }
  }

  // how the page's store names the record of a sample that was opened
  const OPENED = "-modal";
  const SAMPLE = `query ($dataset: String!, $view: BSONArray!, $filter: SampleFilter!) {
    sample(dataset: $dataset, view: $view, filter: $filter) { ... on VideoSample { sample urls { field url } } }
  }`;

  async function storedSample(snapshot, id) {
    const [dataset, view] = await Promise.all([fos.datasetName, fos.view].map((state) => snapshot.getPromise(state)));
    const post = window.__fou__.getFetchFunction();
    const variables = { dataset, view, filter: { id, group: null } };
    const { data } = await post("POST", "/graphql", { query: SAMPLE, variables });
    const found = data && data.sample;
    if (!found || !found.sample) return null;
    const sample = typeof found.sample === "string" ? JSON.parse(found.sample) : found.sample;
    return { sample, urls: found.urls || [] };
  }

  // the page's own update leaves out where the media lie: a media field that is new since would have none
  function updateMedia(environment, stored) {
    if (!environment || !environment.commitUpdate) return;
    environment.commitUpdate((store) => {
      for (const [id, { urls }] of stored) {
        const record = store.get(id + OPENED);
        if (!record) continue;
        const links = urls.map(({ field, url }) => {
          const name = `${id}${OPENED}:media:${field}`;
          const link = store.get(name) || store.create(name, "MediaURL");
          link.setValue(field, "field");
          link.setValue(url, "url");
          return link;
        });
        record.setLinkedRecords(links, "urls");
      }
    });
  }

  function openedSamples() {
    if (!fos.getCurrentEnvironment) return [];
    const records = fos.getCurrentEnvironment().getStore().getSource().getRecordIDs();
    return records.filter((record) => record.endsWith(OPENED)).map((record) => record.slice(0, -OPENED.length));
  }

  function useLoadStored() {
    const update = fos.useUpdateSamples ? fos.useUpdateSamples() : null;
    return recoil.useRecoilCallback(
      ({ snapshot }) =>
        async (ids) => {
          if (!update) return;
          try {
            const found = await Promise.all(ids.map((id) => storedSample(snapshot, id)));
            const stored = ids.map((id, k) => [id, found[k]]).filter(([, one]) => one);
            update(stored.map(([id, { sample }]) => [id, sample]));
            updateMedia(fos.getCurrentEnvironment ? fos.getCurrentEnvironment() : null, stored);
          } catch (error) {
            console.error("Samples that were opened before keep the labels of their first frame", error);
          }
        },
      [update],
    );
  }

  const pause = (milliseconds) => new Promise((over) => setTimeout(over, milliseconds));

  /** Two functions: what gives the open player, and what moves the next one to a frame. */
  function useSeek() {
    const player = recoil.useRecoilCallback(
      ({ snapshot }) =>
        () =>
          fos.modalLooker ? snapshot.getLoadable(fos.modalLooker).contents : null,
      [],
    );
    const seek = async (frame, before) => {
      let calm = 0;
      for (let tries = 0; tries < 60 && calm < 8; tries++) {
        await pause(200);
        const looker = player();
        // for a while the page still knows the player that was closed
        if (!looker || looker === before || !looker.seekToFrame || !(looker.state && looker.state.duration)) continue;
        const { support } = looker.state.config || {}; // of a clip
        if (looker.frameNumber !== frame && looker.frameNumber > (support ? support[0] : 1)) return; // a person moved on
        calm = looker.frameNumber === frame ? calm + 1 : 0;
        // what is still being loaded begins with the first frame once more
        if (!calm) looker.seekToFrame(frame);
      }
    };
    return { player, seek };
  }

  /** What gives the place of the open sample among those of the grid: how to go on from it to the next ones. */
  function usePlace() {
    return recoil.useRecoilCallback(
      ({ snapshot }) =>
        () => {
          const { hasNext, hasPrevious } = (fos.modalSelector && snapshot.getLoadable(fos.modalSelector).contents) || {};
          return { shown: { hasNext, hasPrevious }, navigation: fos.modalNavigation ? fos.modalNavigation.get() : null };
        },
      [],
    );
  }

  class LoadOpenedSamples extends foo.Operator {
    get config() {
      return new foo.OperatorConfig({ name: "load_opened_samples", label: "Load opened samples anew", unlisted: true });
    }

    useHooks() {
      return { loadStored: useLoadStored() };
    }

    async execute({ hooks }) {
      await hooks.loadStored(openedSamples());
    }
  }

  class OpenSampleAnew extends foo.Operator {
    get config() {
      return new foo.OperatorConfig({ name: "open_sample_anew", label: "Open a sample with its new fields", unlisted: true });
    }

    useHooks() {
      return {
        close: fos.useClearModal ? fos.useClearModal() : null,
        copyStateOfGrid: fos.useSetModalState ? fos.useSetModalState() : null,
        expand: fos.useSetExpandedSample(),
        loadStored: useLoadStored(),
        moving: useSeek(),
        placeOf: usePlace(),
      };
    }

    async execute({ hooks, params }) {
      const { id, frame } = params;
      const before = hooks.moving.player();
      // closing forgets it
      const { shown, navigation } = hooks.placeOf();
      if (hooks.close) await hooks.close();
      else await foo.executeOperator("close_sample");
      await hooks.loadStored([id]);
      await hooks.expand({ id, ...shown });
      // before that, the sidebar would wait for values that never come
      if (hooks.copyStateOfGrid) await hooks.copyStateOfGrid(navigation);
      if (frame > 1) await hooks.moving.seek(frame, before);
    }
  }

  /** As the App's `set_selected_labels`, which says no type: of such labels a session in Python loses the page. */
  class SelectLabels extends foo.Operator {
    get config() {
      return new foo.OperatorConfig({ name: "select_labels", label: "Select labels", unlisted: true });
    }

    useHooks() {
      return { select: fos.useSetSelectedLabels ? fos.useSetSelectedLabels() : null };
    }

    async execute({ hooks, params }) {
      if (!hooks.select) {
        foo.executeOperator("set_selected_labels", params);
        return;
      }
      const chosen = ({ field, label_id: labelId, sample_id: sampleId, frame_number: frameNumber }) => ({
        field, labelId, sampleId, frameNumber, type: "default",
      });
      hooks.select(params.labels.map(chosen));
    }
  }

  foo.registerOperator(LoadOpenedSamples, "@fo-video/point-tracking");
  foo.registerOperator(SelectLabels, "@fo-video/point-tracking");
  foo.registerOperator(OpenSampleAnew, "@fo-video/point-tracking");
  loadPanel().catch((error) => console.error("The panel Trajectories works without its script", error));
})();
