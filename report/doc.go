// Package report draws what an evaluation measured as one HTML file that loads nothing:
// plots as inline SVG, tables, and the questions with their candidates. It is readable
// without JavaScript, in light and dark, and on paper.
//
// [Write] takes results of package eval, each with its details where there are any. All
// numbers on the page are the result's own or are computed here from the details; the
// script on the page only opens and searches the table of questions.
package report
