// Starts the console. A file of its own, because the content security policy permits no script inside the page.
const built = document.querySelector('meta[name="console"]').dataset;
const splash = document.getElementById('splash');
try {
  const { default: init } = await import(built.script);
  await init({ module_or_path: built.module });
  splash.remove();
} catch (error) {
  splash.textContent = '加载失败，请刷新页面重试 · Loading failed, please reload';
  throw error;
}
