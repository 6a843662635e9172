"""Write files until nothing more fits, each as large as one may be."""

block = b"x" * (1 << 20)
for number in range(400):
    with open(f"block-{number}", "wb") as file:
        for _ in range(60):
            file.write(block)
print("wrote 24 GB")
