package journal

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/atomicfs"
)

// sealName is the name of the seal, a marker of pebble's kind: a file whose name says it all. A clean Close moves it to the digest of the
// directory, and Open to nothing.
//
// A crash leaves a torn end in pebble's logs (changes, and its list of tables), which is cut off and rightly so; damage in the last 32 KiB of a log looks
// the same. After a clean Close there is no torn end, so that the seal tells the two apart.
const sealName = "seal"

// seal writes down what the closed directory consists of.
func seal(files vfs.FS, dir string) error {
	is, err := digest(files, dir)
	if err != nil {
		return err
	}
	marker, _, err := atomicfs.LocateMarker(files, dir, sealName)
	if err != nil {
		return err
	}
	return errors.Join(marker.Move(is), marker.Close())
}

// unseal compares the directory with its seal, if it has one, and takes it off.
func unseal(files vfs.FS, dir string) error {
	marker, was, err := atomicfs.LocateMarker(files, dir, sealName)
	if err != nil {
		return err
	}
	if was == "" { // new, or killed
		return marker.Close()
	}
	is, err := digest(files, dir)
	switch {
	case err != nil:
	case is != was:
		err = fmt.Errorf("%w: not as it was when the directory was closed", pebble.ErrCorruption)
	default:
		err = marker.Move("")
	}
	return errors.Join(err, marker.Close())
}

// digest tells one state of a directory from any other: it is of the name, the size and the content of each file. The content of
// tables, which are most of it, does not count: their blocks have checksums of their own, which every reader checks.
func digest(files vfs.FS, dir string) (string, error) {
	names, err := files.List(dir)
	if err != nil {
		return "", err
	}
	slices.Sort(names)
	sum := sha256.New()
	for _, name := range names {
		if strings.HasPrefix(name, "marker."+sealName) || strings.HasPrefix(name, ".") { // file managers leave the latter
			continue
		}
		if err := add(sum, files, files.PathJoin(dir, name)); err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// add adds a file to a digest.
func add(sum hash.Hash, files vfs.FS, path string) error {
	file, err := files.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	fmt.Fprintln(sum, filepath.Base(path), info.Size())
	if filepath.Ext(path) != ".sst" {
		_, err = io.Copy(sum, file)
	}
	return err
}
