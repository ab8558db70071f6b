// Package awsconn is how a process reaches AWS: Load reads the configuration, once for all clients of
// the process, KeepConnections keeps their connections, and Sign signs requests to the services
// for which no SDK client is linked, because a signature is all that is wanted of one.
//
// Nothing else below pkg/ reads the configuration or signs.
package awsconn
