package main

import (
	"fmt"
	"os"

	"github.com/millrace-dev/millrace/pkg/config"
)

type configPrintCommand struct {
	configFile
	Effective bool `help:"Fill in every default, and say beside each value where it comes from."`
}

// Help shows how to use it.
func (configPrintCommand) Help() string {
	return `Checks the file and prints it. Secrets are printed as their references, never as their values.

    millrace config print --config millrace.yaml --effective`
}

// Run prints the file.
func (p *configPrintCommand) Run(c *console) error {
	loaded, err := p.load()
	if err != nil {
		return err
	}
	text := loaded.Effective()
	if !p.Effective {
		if text, err = os.ReadFile(p.Config); err != nil {
			return fmt.Errorf("config print: %w", err)
		}
	}
	if _, err := c.out.Write(text); err != nil {
		return fmt.Errorf("config print: %w", err)
	}
	return nil
}

type configSchemaCommand struct{}

// Help shows how to use it.
func (configSchemaCommand) Help() string {
	return `Prints the JSON Schema of millrace.yaml. Point your editor at it, with this first line in the file:

    # yaml-language-server: $schema=millrace.schema.json

    millrace config schema > millrace.schema.json`
}

// Run prints the schema.
func (configSchemaCommand) Run(c *console) error {
	if _, err := c.out.Write(config.Schema()); err != nil {
		return fmt.Errorf("config schema: %w", err)
	}
	return nil
}
