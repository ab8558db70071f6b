// Command app is the CDK app: one stack with one BatchExporter. `make synth` and
// `make deploy` run it; README.md lists the context values that it reads.
package main

import (
	"fmt"
	"os"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	defer jsii.Close()
	app := awscdk.NewApp(&awscdk.AppProps{AnalyticsReporting: jsii.Bool(false)})
	settings := contextOf(app)
	if err := build(app, settings); err != nil {
		return err
	}
	app.Synth(nil)
	return nil
}
