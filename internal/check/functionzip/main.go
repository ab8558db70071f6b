// Command functionzip packs each function's bootstrap as AWS Lambda takes it, and fails
// when a zip is over its budget, because cold starts pay for every megabyte:
//
//	go run ./internal/check/functionzip -max-bytes 5242880 dist/ingest dist/flush
//
// writes dist/ingest.zip and dist/flush.zip. The same binary gives the same zip, byte for
// byte, so that a deployment sees whether a function changed.
package main

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

func main() {
	maxBytes := flag.Int("max-bytes", 5<<20, "most bytes that a zip may have")
	flag.Parse()
	if err := run(os.Stdout, flag.Args(), *maxBytes); err != nil {
		fmt.Fprintln(os.Stderr, "functionzip:", err)
		os.Exit(1)
	}
}

// run packs every directory before it complains, so that one run shows all sizes.
func run(report io.Writer, dirs []string, maxBytes int) error {
	if len(dirs) == 0 {
		return errors.New("no function to pack: name the directories of their bootstraps")
	}
	var problems []error
	for _, dir := range dirs {
		size, err := writeZip(dir)
		if err != nil {
			return err
		}
		fmt.Fprintf(report, "%s.zip  %d bytes, %d %% of its budget\n", dir, size, 100*size/maxBytes)
		if size > maxBytes {
			problems = append(problems, fmt.Errorf("%s.zip has %d bytes, the budget is %d", dir, size, maxBytes))
		}
	}
	return errors.Join(problems...)
}

func writeZip(dir string) (size int, err error) {
	binary, err := os.ReadFile(filepath.Join(dir, "bootstrap"))
	if err != nil {
		return 0, err
	}
	packed, err := pack(binary)
	if err != nil {
		return 0, fmt.Errorf("pack %s: %w", dir, err)
	}
	return len(packed), os.WriteFile(dir+".zip", packed, 0o600)
}

// pack makes a zip of one executable file named bootstrap.
func pack(binary []byte) ([]byte, error) {
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) {
		return flate.NewWriter(w, flate.BestCompression)
	})
	header := &zip.FileHeader{
		Name:     "bootstrap",
		Method:   zip.Deflate,
		Modified: time.Date(1980, time.January, 1, 0, 0, 0, 0, time.UTC), // zip's first day, the same for every build
	}
	header.SetMode(0o755)
	file, err := z.CreateHeader(header)
	if err != nil {
		return nil, err
	}
	if _, err := file.Write(binary); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
