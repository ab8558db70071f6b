package config

import "strings"

// closest returns the name that a misspelt one was probably meant to be, empty when
// none is near: a third of its letters may differ, and at least one.
func closest(misspelt string, names []string) string {
	best, bestDistance := "", max(1, len(misspelt)/3)+1
	for _, name := range names {
		if distance := editDistance(strings.ToLower(misspelt), name); distance < bestDistance {
			best, bestDistance = name, distance
		}
	}
	return best
}

// editDistance counts the letters to insert, remove or replace to make a into b. It
// gives up on texts that are far longer than any key.
func editDistance(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return 64
	}
	previous := make([]int, len(b)+1)
	for j := range previous {
		previous[j] = j
	}
	for i := range len(a) {
		current := make([]int, len(b)+1)
		current[0] = i + 1
		for j := range len(b) {
			substitute := previous[j]
			if a[i] != b[j] {
				substitute++
			}
			current[j+1] = min(substitute, previous[j+1]+1, current[j]+1)
		}
		previous = current
	}
	return previous[len(b)]
}

// enumerate writes "a, b and c".
func enumerate(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " and " + names[last]
}

// alternatives writes "a, b or c".
func alternatives(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}
