// Command goaws is goaws (github.com/Admiral-Piett/goaws) on loopback: its own command binds every interface. It prints its URL and ends with
// its standard input.
package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/Admiral-Piett/goaws/app/conf"
	"github.com/Admiral-Piett/goaws/app/gosqs"
	"github.com/Admiral-Piett/goaws/app/router"
	log "github.com/sirupsen/logrus"
)

func main() {
	log.SetOutput(io.Discard)
	conf.LoadYamlConfig("", "Local")
	go gosqs.PeriodicTasks(time.Second, make(chan bool))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, "goaws:", err)
		os.Exit(1)
	}
	fmt.Println("http://" + listener.Addr().String())
	go func() { _ = http.Serve(listener, router.New()) }()
	_, _ = io.Copy(io.Discard, os.Stdin)
}
