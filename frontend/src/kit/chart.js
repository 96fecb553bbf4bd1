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
  // What has an id is moved to its new numbers; what has gone is removed.
  chart.setOption(JSON.parse(option), { replaceMerge: ['series', 'xAxis', 'yAxis'] });
}

export function leave(chart) {
  chart.leave();
}
