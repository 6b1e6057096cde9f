module gbuild.example/docker-machine

go 1.21

require (
	github.com/codegangsta/cli v1.20.0
	github.com/docker/docker v1.13.1
	github.com/docker/go-units v0.5.0
	github.com/docker/machine v0.16.2
	github.com/samalba/dockerclient v0.0.0-20160531175551-a30362618471
	github.com/skarademir/naturalsort v0.0.0-20150715044055-69a5d87bef62
	golang.org/x/crypto v0.21.0
	golang.org/x/sys v0.18.0
	golang.org/x/term v0.18.0
)

require (
	github.com/bugsnag/bugsnag-go v1.5.0 // indirect
	github.com/bugsnag/panicwrap v1.2.0 // indirect
	github.com/gofrs/uuid v4.4.0+incompatible // indirect
	github.com/kardianos/osext v0.0.0-20190222173326-2bc1f35cddc0 // indirect
)
