package config

import (
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Validate checks a configuration as a whole. Its error is a [Problems] with everything
// that is wrong. Load and Parse have called it; it is for configurations made in code,
// which have no defaults filled in.
func (c *Config) Validate() error {
	r := newReport(c.file, c.lines)
	c.check(r)
	return r.problems.err()
}

func (c *Config) check(r *report) {
	if c.Version != Version && c.Version != 0 {
		r.add("version", "must be %d, the version of the file's shape that this Millrace reads", Version)
	}
	checkFields("", reflect.ValueOf(c).Elem(), "", r)
	c.checkKeys(r)
	c.checkSinks(r)
	c.checkRoutes(r)
	c.checkProcessors(r)
	c.checkDedup(r)
	if c.Flush.MaxAge%Duration(1e9) != 0 {
		r.add("flush.max_age", "must be whole seconds, because AWS counts the batching window in seconds")
	}
}

// maxNameBytes bounds a sink's name.
const maxNameBytes = 64

// isSinkName allows what needs no quoting anywhere: metrics, file names, URLs.
func isSinkName(name string) bool {
	return name != "" && len(name) <= maxNameBytes && consistsOf(name, "abcdefghijklmnopqrstuvwxyz0123456789_-")
}

// sha256OfEmpty is what hashing a forgotten variable gives.
const sha256OfEmpty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

func isSHA256(text string) bool {
	return len(text) == len(sha256OfEmpty) && consistsOf(text, "0123456789abcdef")
}

func consistsOf(text, alphabet string) bool {
	return !strings.ContainsFunc(text, func(c rune) bool { return !strings.ContainsRune(alphabet, c) })
}

func (c *Config) checkKeys(r *report) {
	byName, byHash := map[string]string{}, map[string]string{}
	for i, key := range c.Keys {
		path := index("keys", i)
		checkUnique(byName, key.Name, join(path, "name"), r)
		if key.SHA256 != "" && !isSHA256(key.SHA256) {
			r.add(join(path, "sha256"), "must be 64 lower-case hex digits; `millrace keys hash KEY` prints them")
		}
		if key.SHA256 == sha256OfEmpty {
			r.add(join(path, "sha256"), "is the hash of an empty key; hash the key itself with `millrace keys hash KEY`")
		}
		checkUnique(byHash, key.SHA256, join(path, "sha256"), r)
		for j, receiver := range key.Receivers {
			checkName(receiver, Receivers(), "receiver", index(join(path, "receivers"), j), r)
		}
	}
}

// checkUnique reports a value that an earlier path has too.
func checkUnique(earlier map[string]string, value, path string, r *report) {
	if first, taken := earlier[value]; taken && value != "" {
		r.add(path, "is the same as %s; each key has its own", first)
		return
	}
	earlier[value] = path
}

// checkName reports a name that is not among those that exist.
func checkName(name string, existing []string, what, path string, r *report) {
	if slices.Contains(existing, name) {
		return
	}
	if meant := closest(name, existing); meant != "" {
		r.add(path, "there is no %s %q; did you mean %q?", what, name, meant)
		return
	}
	if len(existing) == 0 {
		return // that there are none is a problem of its own
	}
	r.add(path, "there is no %s %q; write %s", what, name, alternatives(existing))
}

func (c *Config) checkSinks(r *report) {
	for _, name := range slices.Sorted(maps.Keys(c.Sinks)) {
		path, sink := join("sinks", name), c.Sinks[name]
		if !isSinkName(name) {
			r.add(path, "a sink's name is 1 to 64 of a-z, 0-9, _ and -")
		}
		checkFields(path, reflect.ValueOf(&sink).Elem(), sink.Type, r)
		if sink.Type != SinkHTTP {
			continue
		}
		checkSinkURL(sink.URL, join(path, "url"), r)
		checkHeaders(sink.Headers, join(path, "headers"), r)
		if _, set := c.lines[join(path, "compression_level")]; set && sink.Compression != "gzip" {
			r.add(join(path, "compression_level"), "is for gzip; remove it, or set compression: gzip")
		}
	}
}

func (c *Config) checkRoutes(r *report) {
	names := slices.Sorted(maps.Keys(c.Sinks))
	reached := map[string]bool{}
	catchAll := -1
	for i, route := range c.Routes {
		path := index("routes", i)
		if catchAll >= 0 {
			r.add(path, "is never reached: routes[%d] before it matches everything", catchAll)
		}
		c.checkMatch(route.Match, join(path, "match"), r)
		for j, name := range route.To {
			toPath := index(join(path, "to"), j)
			checkName(name, names, "sink", toPath, r)
			if slices.Contains(route.To[:j], name) {
				r.add(toPath, "the sink %q is here twice; remove one", name)
			}
			reached[name] = true
			reached[closest(name, names)] = true // a misspelt name is one problem, not two
		}
		if catchAll < 0 && route.Match == (Match{}) && !r.touches(path) {
			catchAll = i
		}
	}
	for _, name := range names {
		if len(c.Routes) > 0 && !reached[name] {
			r.add(join("sinks", name), "no route leads to this sink; add it to the `to` of a route, or remove it")
		}
	}
}

// checkMatch reports patterns that no event can fit.
func (c *Config) checkMatch(m Match, path string, r *report) {
	fields := reflect.ValueOf(m)
	for _, f := range fieldsOf(fields.Type()) {
		fieldPath, pattern := join(path, f.name), fields.Field(f.index).String()
		_, set := c.lines[fieldPath]
		switch {
		case pattern == "" && set:
			r.add(fieldPath, "is empty; remove it to match everything")
		case len(pattern) > maxPatternBytes:
			r.add(fieldPath, "is longer than %d bytes; that is the limit", maxPatternBytes)
		}
	}
	if m.Receiver != "" && !strings.Contains(m.Receiver, "*") {
		checkName(m.Receiver, Receivers(), "receiver", join(path, "receiver"), r)
	}
	if m.Tenant != "" && !strings.Contains(m.Tenant, "*") {
		checkName(m.Tenant, c.tenants(), "key of the tenant", join(path, "tenant"), r)
	}
}

// maxPatternBytes bounds a pattern, and with it the time of a match.
const maxPatternBytes = 256

// tenants returns the tenants that have a key, sorted.
func (c *Config) tenants() []string {
	tenants := make([]string, 0, len(c.Keys))
	for _, key := range c.Keys {
		if key.Tenant != "" {
			tenants = append(tenants, key.Tenant)
		}
	}
	slices.Sort(tenants)
	return slices.Compact(tenants)
}

func index(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }
