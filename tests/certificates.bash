# certificates - what the suites of TLS are served with: good, wrong-name, expired, self-signed, client, client-expired, and another authority.
# SPDX-License-Identifier: MPL-2.0
# shellcheck shell=bash

# authority: in this directory an authority of our own (ca.pem), one key for all (key.pem; locked.pem asks for a password), and the certificates that it has signed, or not.
authority() {
	openssl ecparam -name prime256v1 -genkey -noout -out key.pem
	openssl req -x509 -new -key key.pem -subj /CN=test-ca -days 30 -out ca.pem
	openssl req -x509 -new -key key.pem -subj /CN=localhost -addext subjectAltName=DNS:localhost -days 30 -out self-signed.pem
	openssl req -x509 -new -key key.pem -subj /CN=other-ca -days 30 -out other-ca.pem
	certificate good DNS:localhost,IP:127.0.0.1,IP:::1 -days 30
	certificate wrong-name DNS:other.example -days 30
	certificate expired DNS:localhost -days -1
	certificate client DNS:client -days 30
	certificate client-expired DNS:client -days -1
	openssl ec -in key.pem -aes128 -passout pass:secret -out locked.pem
} >/dev/null 2>&1

certificate() {
	local name=$1 names=$2
	shift 2
	openssl req -new -key key.pem -subj "/CN=$name" |
		openssl x509 -req -CA ca.pem -CAkey key.pem -set_serial "0x$(openssl rand -hex 8)" -extfile <(echo "subjectAltName=$names") "$@" -out "$name.pem"
}
