// Package storetest is the contract of dedup.Store as tests. Every store passes Run.
package storetest
