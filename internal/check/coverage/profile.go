package main

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
)

// place is one block of statements: "import/path/file.go:10.2,12.3".
type place string

// block says how many statements stand at a place and whether any test ran them.
type block struct {
	statements int
	ran        bool
}

// profile holds each place once, although every test binary reports it.
type profile map[place]block

// share is how much of a package ran.
type share struct {
	name            string
	statements, ran int
}

// percent of an empty package is 0: with nothing to test, something is wrong.
func (s share) percent() float64 {
	if s.statements == 0 {
		return 0
	}
	return 100 * float64(s.ran) / float64(s.statements)
}

// read parses what `go test -coverprofile` writes: a line "mode: set", then lines of
// "place statements count".
func read(r io.Reader) (profile, error) {
	lines := bufio.NewScanner(r)
	if !lines.Scan() || !strings.HasPrefix(lines.Text(), "mode: ") {
		return nil, errors.New("not a coverage profile")
	}
	p := make(profile)
	for lines.Scan() {
		var at place
		var statements, count int
		if _, err := fmt.Sscanf(lines.Text(), "%s %d %d", &at, &statements, &count); err != nil {
			return nil, fmt.Errorf("line %q: %w", lines.Text(), err)
		}
		p[at] = block{statements: statements, ran: p[at].ran || count > 0}
	}
	return p, lines.Err()
}

// packages sums the blocks up per package, the least tested first.
func (p profile) packages() []share {
	byName := make(map[string]share)
	for at, b := range p {
		name := at.packageName()
		if strings.HasSuffix(name, "test") {
			continue
		}
		s := byName[name]
		s.name = name
		s.statements += b.statements
		if b.ran {
			s.ran += b.statements
		}
		byName[name] = s
	}
	shares := make([]share, 0, len(byName))
	for _, s := range byName {
		shares = append(shares, s)
	}
	slices.SortFunc(shares, func(a, b share) int {
		return cmp.Or(cmp.Compare(a.percent(), b.percent()), cmp.Compare(a.name, b.name))
	})
	return shares
}

func (at place) packageName() string {
	file, _, _ := strings.Cut(string(at), ":")
	return path.Dir(file)
}
