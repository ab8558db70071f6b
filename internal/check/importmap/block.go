package main

import (
	"errors"
	"strings"
)

// The map stands between these lines, in a fenced block.
const (
	begin = "<!-- imports:begin -->\n"
	end   = "<!-- imports:end -->"
	fence = "```\n"
)

var errNoBlock = errors.New("no lines " + strings.TrimSpace(begin) + " and " + end)

// block returns the map that the text holds.
func block(text string) (string, error) {
	_, rest, found := strings.Cut(text, begin+fence)
	if !found {
		return "", errNoBlock
	}
	inside, _, found := strings.Cut(rest, fence+end)
	if !found {
		return "", errNoBlock
	}
	return inside, nil
}

// replaceBlock returns the text with another map between the markers.
func replaceBlock(text, drawn string) (string, error) {
	before, rest, found := strings.Cut(text, begin)
	if !found {
		return "", errNoBlock
	}
	_, after, found := strings.Cut(rest, end)
	if !found {
		return "", errNoBlock
	}
	return before + begin + fence + drawn + fence + end + after, nil
}
