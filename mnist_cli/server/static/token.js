// The token of the server, stored until the tab is closed.

const TOKEN_KEY = "mnist-token"; // in sessionStorage

export const storeToken = (token) => sessionStorage.setItem(TOKEN_KEY, token);
export const hasToken = () => Boolean(sessionStorage.getItem(TOKEN_KEY));
export const tokenHeaders = () =>
  (hasToken() ? { Authorization: `Bearer ${sessionStorage.getItem(TOKEN_KEY)}` } : {});
