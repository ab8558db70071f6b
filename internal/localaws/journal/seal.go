package journal

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/go-json-experiment/json"
)

// sealName is the file that a clean Close leaves: what the directory then consisted of. It is there only while nobody has the directory open.
//
// A crash leaves a torn end in pebble's logs (changes, and its list of tables), which is cut off and rightly so; damage in the last 32 KiB of a log looks
// the same. After a clean Close there is no torn end, so that the seal tells the two apart.
const sealName = "SEAL"

// sealed is one file as it was.
type sealed struct {
	Bytes int64 `json:"bytes"`
	// Sum is the CRC-32C of everything; 0 for tables, whose blocks have checksums of their own that every reader checks.
	Sum uint32 `json:"sum"`
}

// seal writes down what the closed directory consists of.
func seal(files vfs.FS, dir string) error {
	content, err := survey(files, dir)
	if err != nil {
		return fmt.Errorf("data directory %s: seal: %w", dir, err)
	}
	text, err := json.Marshal(content, json.Deterministic(true))
	if err == nil {
		err = write(files, dir, text)
	}
	if err != nil {
		return fmt.Errorf("data directory %s: seal: %w", dir, err)
	}
	return nil
}

// write puts the seal there as a whole or not at all.
func write(files vfs.FS, dir string, text []byte) error {
	path := files.PathJoin(dir, sealName)
	file, err := files.Create(path+".new", vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	return errors.Join(files.Rename(path+".new", path), syncDir(files, dir))
}

func syncDir(files vfs.FS, dir string) error {
	opened, err := files.OpenDir(dir)
	if err != nil {
		return err
	}
	return errors.Join(opened.Sync(), opened.Close())
}

// unseal compares the directory with its seal, if it has one, and takes it off.
func unseal(files vfs.FS, dir string) error {
	path := files.PathJoin(dir, sealName)
	text, err := read(files, path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // new, or killed
	}
	if err != nil {
		return fmt.Errorf("data directory %s: seal: %w", dir, err)
	}
	var was map[string]sealed
	if err := json.Unmarshal(text, &was); err != nil {
		return unreadable(dir, fmt.Errorf("%w: %s: %w", pebble.ErrCorruption, sealName, err))
	}
	is, err := survey(files, dir)
	if err != nil {
		return fmt.Errorf("data directory %s: seal: %w", dir, err)
	}
	for name, file := range was {
		if now, ok := is[name]; !ok || now != file {
			return unreadable(dir, fmt.Errorf("%w: %s is not as it was when the directory was closed", pebble.ErrCorruption, name))
		}
	}
	return errors.Join(files.Remove(path), syncDir(files, dir))
}

// survey lists the files that pebble has in a directory.
func survey(files vfs.FS, dir string) (map[string]sealed, error) {
	names, err := files.List(dir)
	if err != nil {
		return nil, err
	}
	content := map[string]sealed{}
	for _, name := range names {
		if name == "LOCK" || strings.HasPrefix(name, sealName) {
			continue
		}
		if content[name], err = examine(files, files.PathJoin(dir, name)); err != nil {
			return nil, err
		}
	}
	return content, nil
}

func examine(files vfs.FS, path string) (sealed, error) {
	if filepath.Ext(path) == ".sst" {
		info, err := files.Stat(path)
		if err != nil {
			return sealed{}, err
		}
		return sealed{Bytes: info.Size()}, nil
	}
	content, err := read(files, path)
	return sealed{Bytes: int64(len(content)), Sum: crc32.Checksum(content, crc32.MakeTable(crc32.Castagnoli))}, err
}

// read returns a small file.
func read(files vfs.FS, path string) ([]byte, error) {
	file, err := files.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(file)
}
