package config_test

import (
	"fmt"

	"github.com/millrace-dev/millrace/pkg/config"
)

// All problems of a file come at once, each with its line, its key and what to do.
func ExampleParse() {
	_, err := config.Parse("millrace.yaml", []byte(`version: 1
keys:
  - { name: web, sha256: d12432d28e551982af48b86471e52426804efc91cbff815ab356ba1bc7a3cdf9, tenant: acme }
sinks:
  warehouse: { type: http, urll: "https://warehouse.example" }
routes:
  - to: [warehose]
flush: { max_age: 10m }
`))
	fmt.Println(err)
	// Output:
	// millrace.yaml:5: sinks.warehouse.urll: unknown key; did you mean "url"?
	// millrace.yaml:7: routes[0].to[0]: there is no sink "warehose"; did you mean "warehouse"?
	// millrace.yaml:8: flush.max_age: must be 0s to 300s, not 10m
}
