package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// The pages that the AWS endpoint of `millrace dev` has for the other commands. AWS has no paths of this form.
const (
	// booksPath tells the books.
	booksPath = "/_millrace/totals"
	// contentsPath tells which events are on the queues.
	contentsPath = "/_millrace/contents"
	// setupPath tells how it is set up.
	setupPath = "/_millrace/setup"
)

const (
	// maxPageBytes bounds a page that is read as a whole.
	maxPageBytes = 4 << 20
	// pagePatience is far more than such a page takes, streamPatience more than one with a million events.
	pagePatience   = 10 * time.Second
	streamPatience = 5 * time.Minute
)

// errNoPage says that an endpoint is not that of a `millrace dev`, or of an older one.
var errNoPage = errors.New("this endpoint has no such page")

// askPage reads a page of a `millrace dev` into a value.
func askPage(ctx context.Context, endpoint, path string, into any) error {
	ctx, cancel := context.WithTimeout(ctx, pagePatience)
	defer cancel()
	body, err := openPage(ctx, endpoint, path)
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }()
	if err := json.UnmarshalRead(io.LimitReader(body, maxPageBytes), into); err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	return nil
}

// streamPage reads a page that is one JSON object as it comes. Its opening brace is read already.
func streamPage(ctx context.Context, endpoint, path string, read func(*jsontext.Decoder) error) error {
	ctx, cancel := context.WithTimeout(ctx, streamPatience)
	defer cancel()
	body, err := openPage(ctx, endpoint, path)
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }()
	decoder := jsontext.NewDecoder(body)
	if _, err = decoder.ReadToken(); err == nil {
		err = read(decoder)
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	return nil
}

// openPage asks for a page; any answer but 200 is errNoPage.
func openPage(ctx context.Context, endpoint, path string) (io.ReadCloser, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimRight(endpoint, "/")+path, nil)
	if err != nil {
		return nil, fmt.Errorf("ask for %s: %w", path, err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, fmt.Errorf("ask for %s: %w", path, err)
	}
	if response.StatusCode != http.StatusOK {
		_ = response.Body.Close()
		return nil, errNoPage
	}
	return response.Body, nil
}
