package route

import "strings"

// glob is a compiled pattern: the literal text before the first star, after the last,
// and between them. Without a star the pattern is its prefix.
type glob struct {
	prefix, suffix string
	middle         []string
	starred        bool
}

func compile(pattern string) glob {
	parts := strings.Split(pattern, "*")
	last := len(parts) - 1
	g := glob{prefix: parts[0], starred: last > 0}
	if !g.starred {
		return g
	}
	g.suffix = parts[last]
	for _, part := range parts[1:last] {
		if part != "" {
			g.middle = append(g.middle, part)
		}
	}
	return g
}

// match reports whether the whole text fits. Taking the leftmost place for every middle
// part leaves the most text for the next, so nothing has to be tried twice.
func (g *glob) match(text string) bool {
	if !g.starred {
		return text == g.prefix
	}
	if len(text) < len(g.prefix)+len(g.suffix) ||
		!strings.HasPrefix(text, g.prefix) || !strings.HasSuffix(text, g.suffix) {
		return false
	}
	text = text[len(g.prefix) : len(text)-len(g.suffix)]
	for _, part := range g.middle {
		at := strings.Index(text, part)
		if at < 0 {
			return false
		}
		text = text[at+len(part):]
	}
	return true
}
