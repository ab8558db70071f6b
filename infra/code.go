package millrace

import (
	"archive/zip"
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/millrace-dev/millrace/pkg/config"
)

// maxBootstrapBytes bounds what is unpacked: Lambda takes 250 MB in all.
const maxBootstrapBytes = 250 << 20

// stage lays out what Lambda unpacks: the bootstrap of dist/NAME.zip with the
// configuration beside it, where the function looks for it. The caller removes it.
func stage(p *BatchExporterProps, function string) (directory string, err error) {
	bootstrap, err := readBootstrap(filepath.Join(p.DistDir, function+".zip"), p.Functions.Architecture)
	if err != nil {
		return "", err
	}
	configuration, err := os.ReadFile(p.ConfigFile)
	if err != nil {
		return "", fmt.Errorf("stage %s: %w", function, err)
	}
	directory, err = os.MkdirTemp("", "millrace-"+function+"-")
	if err != nil {
		return "", fmt.Errorf("stage %s: %w", function, err)
	}
	err = errors.Join(
		// Lambda's user is not ours: both must be readable, and one executable, by all.
		os.WriteFile(filepath.Join(directory, "bootstrap"), bootstrap, 0o755),         //nolint:gosec // as said
		os.WriteFile(filepath.Join(directory, config.FileName), configuration, 0o644), //nolint:gosec // as said
	)
	return directory, err
}

// readBootstrap returns the binary of a function's zip, which must be for the architecture.
func readBootstrap(path, architecture string) ([]byte, error) {
	archive, err := zip.OpenReader(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%s does not exist; build it with `make zip FUNCTION_OS=linux FUNCTION_ARCH=%s`", path, goArchitecture(architecture))
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w; build it again with `make zip`", path, err)
	}
	defer func() { _ = archive.Close() }()
	file, err := archive.Open("bootstrap")
	if err != nil {
		return nil, fmt.Errorf("%s holds no bootstrap; build it again with `make zip`", path)
	}
	defer func() { _ = file.Close() }()
	binary, err := io.ReadAll(io.LimitReader(file, maxBootstrapBytes))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w; build it again with `make zip`", path, err)
	}
	return binary, checkBinary(path, binary, architecture)
}

// checkBinary refuses a binary that Lambda would fail to start.
func checkBinary(path string, binary []byte, architecture string) error {
	wanted := map[string]elf.Machine{ArchitectureARM64: elf.EM_AARCH64, ArchitectureX8664: elf.EM_X86_64}
	file, err := elf.NewFile(bytes.NewReader(binary))
	if err != nil {
		return fmt.Errorf("%s is not built for Linux; build it with `make zip FUNCTION_OS=linux FUNCTION_ARCH=%s`", path, goArchitecture(architecture))
	}
	if file.Machine != wanted[architecture] {
		return fmt.Errorf("%s is built for %v, but Functions.Architecture is %s; build it with `make zip FUNCTION_OS=linux FUNCTION_ARCH=%s`",
			path, file.Machine, architecture, goArchitecture(architecture))
	}
	return nil
}

// goArchitecture is what Go calls an architecture.
func goArchitecture(architecture string) string {
	if architecture == ArchitectureX8664 {
		return "amd64"
	}
	return "arm64"
}
