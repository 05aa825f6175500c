/** Styles that a view brings along; they apply from when they are loaded. */
declare module '*.css';
