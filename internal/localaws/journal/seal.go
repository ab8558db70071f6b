package journal

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs/atomicfs"
)

// sealName is the name of the seal, a marker of pebble's kind: a file whose name says it all. It says Options.Version, a dash, and after a
// clean Close the digest of the directory.
//
// A crash leaves a torn end in pebble's logs (changes, and its list of tables), which is cut off and rightly so; damage in the last 32 KiB of a log looks
// the same. After a clean Close there is no torn end, so that the digest tells the two apart.
const sealName = "seal"

// seal writes down what the closed directory consists of.
func (j *Journal) seal() error {
	is, err := j.digest()
	if err != nil {
		return err
	}
	return j.mark(is)
}

// unseal refuses what a newer program wrote and what is not as it was closed. Then it takes the digest off, and returns what the seal said;
// a new directory has none.
func (j *Journal) unseal() (text string, err error) {
	text, err = atomicfs.ReadMarker(j.options.FileSystem, j.options.Dir, sealName)
	if err != nil {
		return "", err
	}
	version, was, _ := strings.Cut(text, "-")
	if newest, err := strconv.ParseUint(version, 10, 64); err == nil && newest > j.options.Version {
		return "", fmt.Errorf("%w: %d, this one reads up to %d", errVersion, newest, j.options.Version)
	}
	if was != "" { // it was not killed
		is, err := j.digest()
		if err != nil {
			return "", err
		}
		if is != was {
			return "", fmt.Errorf("%w: not as it was when the directory was closed", pebble.ErrCorruption)
		}
	}
	return text, j.mark("")
}

// mark leaves a seal with that digest.
func (j *Journal) mark(digest string) error {
	marker, _, err := atomicfs.LocateMarker(j.options.FileSystem, j.options.Dir, sealName)
	if err != nil {
		return err
	}
	text := strconv.FormatUint(j.options.Version, 10) + "-" + digest
	return errors.Join(marker.Move(text), marker.Close())
}

// digest tells one state of a directory from any other: it is of the names and the contents of its files. The contents of
// tables, which are most of it, do not count: their blocks have checksums of their own, which every reader checks.
func (j *Journal) digest() (string, error) {
	files := j.options.FileSystem
	names, err := files.List(j.options.Dir)
	if err != nil {
		return "", err
	}
	slices.Sort(names)
	sum := sha256.New()
	for _, name := range names {
		if strings.HasPrefix(name, "marker."+sealName) || strings.HasPrefix(name, ".") { // file managers leave the latter
			continue
		}
		fmt.Fprintln(sum, name)
		if filepath.Ext(name) == ".sst" {
			continue
		}
		file, err := files.Open(files.PathJoin(j.options.Dir, name))
		if err != nil {
			return "", err
		}
		_, err = io.Copy(sum, file)
		if err := errors.Join(err, file.Close()); err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}
