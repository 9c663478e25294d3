// Before the first paint: the theme and the language that were chosen.
const theme = localStorage.getItem('sluice.theme');
if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
document.documentElement.lang =
  localStorage.getItem('sluice.language') ?? (navigator.language.startsWith('ko') ? 'ko' : 'en');
