// Applies the stored theme and language before the first paint; the rest is done by src/state/preferences.ts.
(function () {
  var root = document.documentElement;
  try {
    var stored = JSON.parse(localStorage.getItem('anwen.preferences') || '{}');
    if (stored.theme === 'light' || stored.theme === 'dark') root.dataset.theme = stored.theme;
    var language = stored.language || (/^zh/i.test(navigator.language) ? 'zh' : 'en');
    root.lang = language === 'zh' ? 'zh-CN' : 'en';
  } catch {
    // Storage is blocked: the system's theme and the page's default language hold.
  }
})();
