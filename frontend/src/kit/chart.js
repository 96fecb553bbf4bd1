// Draws charts with ECharts, which is fetched when the first chart is shown.
let charts;

export async function draw(node, address, theme, locale) {
  charts ??= import(address).catch((error) => {
    charts = undefined;
    throw error;
  });
  const { init } = await charts;
  const chart = init(node, theme, { locale });
  const watch = new ResizeObserver(() => chart.resize());
  watch.observe(node);
  chart.leave = () => {
    watch.disconnect();
    chart.dispose();
  };
  return chart;
}

export function show(chart, option) {
  chart.setOption(JSON.parse(option), { notMerge: true });
}

export function leave(chart) {
  chart.leave();
}
