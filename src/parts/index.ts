/**
 * Small components that several rooms show: what happened and what to do, menus of snippets, lists
 * at the bottom of the panel, and the icons of our things.
 */

export * from './fields';
export * from './holdings';
export * from './icons';
export * from './insertbutton';
export * from './menu';
export * from './mark';
export * from './notice';
export * from './pull';
export * from './status';
export * from './strip';
