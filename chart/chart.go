// Package chart draws figures as SVG, on the server: a map of the world, flows, ranked bars, series and shares.
//
// What it returns is safe to stand in an HTML page: all text is escaped, there is no script, no style attribute and no
// style element, so that a content security policy need not allow them. Colours are classes; the page includes [CSS] once,
// which knows light, dark and print. No meaning rests on colour alone: figures stand beside what they measure, and areas
// have patterns. A chart has role "img", a title and a description, for those who do not see it.
//
// All functions are pure. Whoever calls them brings the words, in the reader's language.
package chart
