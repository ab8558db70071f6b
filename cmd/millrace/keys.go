package main

import (
	"bufio"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

type keysCommands struct {
	New  keysNewCommand  `cmd:"" help:"Make a write key."`
	Hash keysHashCommand `cmd:"" help:"Hash a write key that exists."`
}

type keysNewCommand struct {
	keyOwner
	Prefix string `default:"mr_" help:"What the key starts with, to be recognised in logs and by secret scanners."`
	JSON   bool   `help:"Print one JSON object."`
}

type keysHashCommand struct {
	keyOwner
	Key  string `arg:"" help:"The key, or - to read it from standard input, which keeps it out of the shell's history."`
	JSON bool   `help:"Print one JSON object."`
}

// keyOwner fills in the configuration snippet.
type keyOwner struct {
	Name      string   `default:"web" help:"Name of the key in the configuration and in logs."`
	Tenant    string   `default:"acme" help:"Tenant that owns the events sent with it."`
	Receivers []string `help:"Receivers that the key may use. Default: all."`
}

// Help shows how to use it.
func (keysNewCommand) Help() string {
	return `Prints a random key of 256 bits, its SHA-256 and the lines for millrace.yaml. The configuration holds only the
hash: the key itself goes to the SDK and is not stored anywhere.

    millrace keys new --name web --tenant acme --receivers posthog,generic
    millrace keys new --prefix phc_ --json`
}

// Help shows how to use it.
func (keysHashCommand) Help() string {
	return `Prints the SHA-256 of a key and the lines for millrace.yaml, so that SDKs may keep the key they have.

    millrace keys hash phc_demo
    pbpaste | millrace keys hash - --name ios`
}

// writeKey is a key as printed.
type writeKey struct {
	Key    string `json:"key"`
	SHA256 string `json:"sha256"`
	YAML   string `json:"yaml"`
}

// Run makes a key and prints it.
func (k *keysNewCommand) Run(c *console) error {
	key := k.describe(k.Prefix + randomKey())
	if k.JSON {
		return c.printJSON(key)
	}
	c.print("key     %s", key.Key)
	printHash(c, key)
	return nil
}

// Run hashes a key and prints the result, never the key.
func (k *keysHashCommand) Run(c *console) error {
	text := k.Key
	if text == "-" {
		line, err := bufio.NewReader(c.in).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("read the key: %w", err)
		}
		text = strings.TrimRight(line, "\r\n")
	}
	if text == "" {
		return usageError("the key is empty")
	}
	key := k.describe(text)
	if k.JSON {
		key.Key = ""
		return c.printJSON(struct {
			SHA256 string `json:"sha256"`
			YAML   string `json:"yaml"`
		}{key.SHA256, key.YAML})
	}
	printHash(c, key)
	return nil
}

func printHash(c *console, key writeKey) {
	c.print("sha256  %s\n\nIn millrace.yaml:\n\nkeys:\n  %s", key.SHA256, key.YAML)
}

// randomKey returns 256 random bits in hex.
func randomKey() string {
	var secret [32]byte
	_, _ = rand.Read(secret[:]) // never fails, see crypto/rand
	return hex.EncodeToString(secret[:])
}

func (o keyOwner) describe(key string) writeKey {
	sum := sha256.Sum256([]byte(key))
	hash := hex.EncodeToString(sum[:])
	line := fmt.Sprintf("- { name: %s, sha256: %q, tenant: %s", yamlName(o.Name), hash, yamlName(o.Tenant))
	if len(o.Receivers) > 0 {
		line += ", receivers: [" + strings.Join(o.Receivers, ", ") + "]"
	}
	return writeKey{Key: key, SHA256: hash, YAML: line + " }"}
}

// yamlName quotes a name unless it is plainly a word, so that "no", "1e3" or "a: b" stay text.
func yamlName(name string) string {
	for _, r := range name {
		if (r < 'a' || r > 'z') && r != '-' && r != '_' {
			return strconv.Quote(name)
		}
	}
	switch name {
	case "", "true", "false", "yes", "no", "on", "off", "y", "n", "null", "-":
		return strconv.Quote(name)
	}
	return name
}
