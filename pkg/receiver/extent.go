package receiver

import "bytes"

// extent finds where the value that starts at body[start] ends, by matching brackets
// and quotes only. It tells a broken value apart from what follows it, so that the
// rest of a batch can be kept. It reports false when the value has no end.
func extent(body []byte, start int) (end int, ok bool) {
	depth := 0
	for i := start; i < len(body); i++ {
		switch body[i] {
		case '"':
			n, closed := quoted(body[i:])
			if !closed {
				return len(body), false
			}
			i += n - 1
		case '{', '[':
			depth++
			continue
		case '}', ']':
			if depth == 0 {
				return i, i > start // a scalar ends before its container does
			}
			depth--
			if depth == 0 {
				return i + 1, true
			}
			continue
		case ',':
			if depth == 0 {
				return i, i > start
			}
		}
	}
	return len(body), false
}

// quoted measures the string at the start of text, quotes included.
func quoted(text []byte) (n int, closed bool) {
	for i := 1; i < len(text); {
		next := bytes.IndexAny(text[i:], `"\`)
		if next < 0 {
			return len(text), false
		}
		i += next
		if text[i] == '"' {
			return i + 1, true
		}
		i += 2 // the escaped byte is no quote, whatever it is
	}
	return len(text), false
}

// deeper says whether a valid JSON value nests more than limit levels.
func deeper(value []byte, limit int) bool {
	// Most values have fewer brackets than the limit, and counting them is nearly free.
	if bytes.Count(value, []byte{'{'})+bytes.Count(value, []byte{'['}) <= limit {
		return false
	}
	depth := 0
	for i := 0; i < len(value); i++ {
		switch value[i] {
		case '"':
			n, _ := quoted(value[i:])
			i += n - 1
		case '{', '[':
			if depth++; depth > limit {
				return true
			}
		case '}', ']':
			depth--
		}
	}
	return false
}
