package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/millrace-dev/millrace/pkg/config"
)

type configCommands struct {
	Check  configCheckCommand  `cmd:"" help:"Say everything that is wrong with a configuration."`
	Print  configPrintCommand  `cmd:"" help:"Print a configuration, with every default on request."`
	Schema configSchemaCommand `cmd:"" help:"Print the JSON Schema, for editors."`
}

// configFile is the flag that all commands reading the configuration share.
type configFile struct {
	Config string `default:"millrace.yaml" placeholder:"FILE" help:"The configuration. Default: ${default}."`
}

// load reads and checks the file; every problem is in the error.
func (f configFile) load() (*config.Config, error) {
	loaded, err := config.Load(f.Config)
	if err != nil {
		return nil, usageError("%w", err)
	}
	return loaded, nil
}

type configCheckCommand struct {
	configFile
	Env  bool `help:"Also look up the environment variables that the file refers to."`
	JSON bool `help:"Print one JSON object."`
}

// Help shows how to use it.
func (configCheckCommand) Help() string {
	return `Reads the file as the functions would and reports all problems at once, each with its line and key path.

    millrace config check --config millrace.yaml
    millrace config check --config millrace.yaml --env --json

Exit code 2 when something is wrong.`
}

// problem is a config.Problem as printed.
type problem struct {
	File    string `json:"file"`
	Line    int    `json:"line,omitzero"`
	Path    string `json:"path"`
	Message string `json:"message"`
}

// Run checks the file.
func (k *configCheckCommand) Run(ctx context.Context, c *console) error {
	loaded, err := k.load()
	if err == nil && k.Env {
		_, err = environment(ctx, loaded, c.getenv)
	}
	if !k.JSON {
		if err == nil {
			c.print("%s is good: %d keys, %d sinks, %d routes", k.Config, len(loaded.Keys), len(loaded.Sinks), len(loaded.Routes))
		}
		return err
	}
	if printErr := c.printJSON(struct {
		OK       bool      `json:"ok"`
		Problems []problem `json:"problems"`
	}{err == nil, problemsOf(err)}); printErr != nil {
		return printErr
	}
	if err != nil {
		return usageError("%s has problems", k.Config)
	}
	return nil
}

// problemsOf lists what an error of loading says, also when the file could not be read at all.
func problemsOf(err error) []problem {
	list := []problem{}
	var problems config.Problems
	switch {
	case errors.As(err, &problems):
		for _, p := range problems {
			list = append(list, problem{File: p.File, Line: p.Line, Path: p.Path, Message: p.Message})
		}
	case err != nil:
		list = append(list, problem{Message: fmt.Sprint(err)})
	}
	return list
}
