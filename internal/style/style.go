// Package style holds what the pages of the program look like: colours for light and
// dark, type, and the cards of candidates. Pages load nothing, so the styles stand in them.
package style

import _ "embed" // of the styles

// Base is the style sheet that a page puts before its own.
//
//go:embed base.css
var Base string
