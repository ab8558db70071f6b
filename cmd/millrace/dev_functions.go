package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/millrace-dev/millrace/internal/devstack"
	"github.com/millrace-dev/millrace/pkg/config"
)

// findFunctions looks for the built functions and returns the path of each.
func findFunctions(dist string) (func(function string) string, error) {
	places := []string{dist}
	if dist == "" {
		places = distPlaces()
	}
	for _, place := range places {
		if hasFunctions(place) {
			return func(function string) string { return filepath.Join(place, function, "bootstrap") }, nil
		}
	}
	return nil, usageError("dev: the functions %s, %s and %s are not built: no %s\nRun: make build, or say where they are with --dist",
		devstack.Ingest, devstack.Flush, devstack.Replay, strings.Join(missing(places), ", no "))
}

// distPlaces are where the functions usually are: beside the program (bin/../dist), or under the working directory.
func distPlaces() []string {
	var places []string
	if program, err := os.Executable(); err == nil {
		if program, err = filepath.EvalSymlinks(program); err == nil {
			directory := filepath.Dir(program)
			places = append(places, filepath.Join(filepath.Dir(directory), "dist"), filepath.Join(directory, "dist"))
		}
	}
	if here, err := filepath.Abs("dist"); err == nil {
		places = append(places, here)
	}
	return places
}

func hasFunctions(dist string) bool {
	for _, function := range []string{devstack.Ingest, devstack.Flush, devstack.Replay} {
		info, err := os.Stat(filepath.Join(dist, function, "bootstrap"))
		if err != nil || !info.Mode().IsRegular() {
			return false
		}
	}
	return true
}

func missing(places []string) []string {
	var files []string
	for _, place := range places {
		files = append(files, filepath.Join(place, "*", "bootstrap"))
	}
	return slices.Compact(files)
}

// inMemory is the value of --data that keeps nothing.
const inMemory = "memory"

// makeData makes the data directory, with the one for the functions' logs in it; "memory" has neither.
func makeData(data string) (directory, logs string, err error) {
	if data == inMemory {
		return "", "", nil
	}
	directory, err = filepath.Abs(data)
	logs = filepath.Join(directory, "logs")
	if err == nil {
		err = os.MkdirAll(logs, 0o750)
	}
	if err != nil {
		return "", "", fmt.Errorf("dev --data: %w", err)
	}
	return directory, logs, nil
}

func sortedNames(sinks map[string]config.Sink) []string { return slices.Sorted(maps.Keys(sinks)) }
