package main

import (
	"context"
	"fmt"

	"github.com/millrace-dev/millrace/pkg/config"
)

// environment returns the variables that a configuration refers to with ${env:NAME}, and no others: what the functions
// may see of this process's environment. Its error names every reference that has no value on this machine.
//
// It resolves the references of loaded in passing.
func environment(ctx context.Context, loaded *config.Config, getenv func(string) string) (map[string]string, error) {
	found := envCollector{getenv: getenv, values: make(map[string]string)}
	if err := loaded.Resolve(ctx, found); err != nil {
		return nil, usageError("%w", err)
	}
	return found.values, nil
}

// envCollector resolves references and remembers what it was asked for.
type envCollector struct {
	getenv func(string) string
	values map[string]string
}

var _ config.Resolver = envCollector{}

// Resolve looks a variable up.
func (e envCollector) Resolve(_ context.Context, r config.Reference) (string, error) {
	if r.Scheme != config.SchemeEnv {
		return "", fmt.Errorf("%s can be read by a deployed function only; use ${env:NAME} on this machine", r)
	}
	value := e.getenv(r.Name)
	if value == "" {
		return "", fmt.Errorf("the environment variable %s is not set; export it first", r.Name)
	}
	e.values[r.Name] = value
	return value, nil
}
