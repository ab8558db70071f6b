package config

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// MaxFileBytes bounds the file. A thousand keys and a hundred sinks are a quarter of it.
const MaxFileBytes = 1 << 20

// Load reads and checks a file. Its error is a [Problems] when the file can be read at
// all. References to secrets stay references until [Config.Resolve].
func Load(path string) (*Config, error) {
	file, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("configuration %s does not exist; name one with --config or MILLRACE_CONFIG", path)
	}
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	defer func() { _ = file.Close() }()
	// One byte more than allowed is enough to see that it is too large.
	data, err := io.ReadAll(io.LimitReader(file, MaxFileBytes+1))
	if err != nil {
		return nil, fmt.Errorf("configuration %s: %w", path, err)
	}
	return Parse(path, data)
}

// Parse is [Load] for bytes; name stands for the file in messages. It does not keep data.
func Parse(name string, data []byte) (*Config, error) {
	root, err := parseYAML(name, data)
	if err != nil {
		return nil, err
	}
	c := &Config{file: name, lines: map[string]int{}}
	r := newReport(name, c.lines)
	decode(root, c, r)
	c.setDefaults()
	c.check(r)
	if err := r.problems.err(); err != nil {
		return nil, err
	}
	return c, nil
}
