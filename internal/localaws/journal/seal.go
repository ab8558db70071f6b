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
)

// sealName is the file that a clean Close leaves: what the directory then consisted of. It is there only while nobody has the directory open.
//
// A crash leaves a torn end in pebble's logs (changes, and its list of tables), which is cut off and rightly so; damage in the last 32 KiB of a log looks
// the same. After a clean Close there is no torn end, so that the seal tells the two apart.
const sealName = "SEAL"

// seal writes down what the closed directory consists of.
func seal(files vfs.FS, dir string) error {
	content, err := survey(files, dir)
	if err == nil {
		err = write(files, dir, content)
	}
	if err != nil {
		return fmt.Errorf("data directory %s: seal: %w", dir, err)
	}
	return nil
}

// write puts the seal there as a whole or not at all.
func write(files vfs.FS, dir, text string) error {
	path := files.PathJoin(dir, sealName)
	file, err := files.Create(path+".new", vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	_, err = file.Write([]byte(text))
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
	was, err := read(files, path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // new, or killed
	}
	var is string
	if err == nil {
		is, err = survey(files, dir)
	}
	if err != nil {
		return fmt.Errorf("data directory %s: seal: %w", dir, err)
	}
	for line := range strings.Lines(string(was)) {
		if !strings.Contains(is, line) {
			return unreadable(dir, fmt.Errorf("%w: not as it was when the directory was closed: %.100q", pebble.ErrCorruption, line))
		}
	}
	return errors.Join(files.Remove(path), syncDir(files, dir))
}

// survey has a line for each file that pebble has in a directory: its name, its size and the CRC-32C of it. Tables, which are most of it, count as 0:
// their blocks have checksums of their own, which every reader checks.
func survey(files vfs.FS, dir string) (string, error) {
	names, err := files.List(dir)
	if err != nil {
		return "", err
	}
	var lines strings.Builder
	for _, name := range names {
		if name == "LOCK" || strings.HasPrefix(name, sealName) {
			continue
		}
		info, err := files.Stat(files.PathJoin(dir, name))
		if err != nil {
			return "", err
		}
		var content []byte
		if filepath.Ext(name) != ".sst" {
			if content, err = read(files, files.PathJoin(dir, name)); err != nil {
				return "", err
			}
		}
		fmt.Fprintf(&lines, "%s %d %08x\n", name, info.Size(), crc32.Checksum(content, crc32.MakeTable(crc32.Castagnoli)))
	}
	return lines.String(), nil
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
