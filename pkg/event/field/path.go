package field

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// MaxPathBytes bounds the text of a path, and with it the depth to which data is read.
const MaxPathBytes = 256

// Path leads to a field. It is immutable.
type Path struct {
	text  string
	names []string
}

var errLong = fmt.Errorf("a path has at most %d bytes", MaxPathBytes)

// Parse reads a path; see the package documentation.
func Parse(text string) (Path, error) {
	p := Path{text: text}
	switch {
	case text == "":
		return Path{}, errors.New("the path is empty")
	case len(text) > MaxPathBytes:
		return Path{}, errLong
	case strings.HasPrefix(text, "/"):
		pointer := jsontext.Pointer(text)
		if !pointer.IsValid() {
			return Path{}, fmt.Errorf("%q is no JSON Pointer", text)
		}
		p.names = slices.Collect(pointer.Tokens())
		return p, nil
	}
	p.names = strings.Split(text, ".")
	if slices.Contains(p.names, "") {
		return Path{}, fmt.Errorf("%q has an empty name in it", text)
	}
	return p, nil
}

// String returns the text that was parsed.
func (p Path) String() string { return p.text }
