package config

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
)

// Resolver looks secrets up.
type Resolver interface {
	// Resolve returns the value of a reference. Its error says what to do and does not
	// hold the value. It is called once per reference.
	Resolve(ctx context.Context, r Reference) (string, error)
}

// EnvResolver resolves ${env:NAME} from the environment of the process. An empty
// variable counts as missing. It has no access to AWS: it refuses ${secret:…} and
// ${ssm:…}.
func EnvResolver() Resolver { return environment{} }

type environment struct{}

func (environment) Resolve(_ context.Context, r Reference) (string, error) {
	if r.Scheme != SchemeEnv {
		return "", fmt.Errorf("%s is not available here: references to AWS are resolved in a deployed function only; use ${env:NAME}", r)
	}
	if value := os.Getenv(r.Name); value != "" {
		return value, nil
	}
	return "", fmt.Errorf("the environment variable %s is not set; set it to the secret", r.Name)
}

// Resolve replaces every reference with its value, for [Secret.Reveal]. Its error is a
// [Problems] with all references that could not be resolved; then nothing is replaced.
// Not safe for use while others read c.
func (c *Config) Resolve(ctx context.Context, resolver Resolver) error {
	known := memory{resolver: resolver, values: map[Reference]string{}, errs: map[Reference]error{}}
	report := newReport(c.file, c.lines)
	resolved := make(map[string]Sink, len(c.Sinks))
	for _, name := range slices.Sorted(maps.Keys(c.Sinks)) {
		sink := c.Sinks[name]
		path := join("sinks", name)
		sink.URL = known.resolve(ctx, sink.URL, join(path, "url"), report)
		if message := checkURL(sink.URL.value); sink.URL.value != "" && message != "" {
			report.add(join(path, "url"), "with its references resolved, the URL %s", message)
		}
		sink.Headers = maps.Clone(sink.Headers)
		for _, header := range slices.Sorted(maps.Keys(sink.Headers)) {
			headerPath := join(join(path, "headers"), header)
			sink.Headers[header] = known.resolve(ctx, sink.Headers[header], headerPath, report)
		}
		resolved[name] = sink
	}
	if err := report.problems.err(); err != nil {
		return err
	}
	c.Sinks = resolved
	return nil
}

// memory asks a resolver once per reference.
type memory struct {
	resolver Resolver
	values   map[Reference]string
	errs     map[Reference]error
}

func (m memory) lookUp(ctx context.Context, r Reference) (string, error) {
	if _, asked := m.errs[r]; !asked {
		m.values[r], m.errs[r] = m.resolver.Resolve(ctx, r)
	}
	return m.values[r], m.errs[r]
}

// resolve returns s with its value, and reports the references that have none.
func (m memory) resolve(ctx context.Context, s Secret, path string, report *report) Secret {
	var value strings.Builder
	var errs []error
	for _, p := range s.parts() {
		value.WriteString(p.literal)
		if !p.isReference() {
			continue
		}
		text, err := m.lookUp(ctx, p.reference)
		if err == nil && strings.ContainsAny(text, "\r\n\x00") {
			err = fmt.Errorf("the value of %s has a line break; remove it", p.reference)
		}
		if err != nil {
			errs = append(errs, err)
		}
		value.WriteString(text)
	}
	if err := errors.Join(errs...); err != nil {
		report.add(path, "%s", strings.ReplaceAll(err.Error(), "\n", "; "))
		return s
	}
	s.value = value.String()
	return s
}
